"""The files of a folder of records, and no more of them than may be read."""

from __future__ import annotations

import os
import re
import stat
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from keepalive_bench.trace.tracer._kab_tracer import layout
from keepalive_bench.trace.tracer._kab_tracer.layout import SLOT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MOST_FILES = 500_000
_FLAGS = "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"
_READING = reduce(or_, (getattr(os, name, 0) for name in _FLAGS), os.O_RDONLY)
"""Whatever there is of these: not each system has all."""
NAME = re.compile(r"([1-9]\d{0,9}-\d{1,20})-(0|[1-9]\d{0,5})(?:\.\d{1,6})?\.kab", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would be acted on where it is shown."""


class DamageError(Exception):
    """A file isn't what it should be; the text says why."""


class Files:
    """Reads the files of a folder, and no more of them than it may."""

    def __init__(self, folder: Path, most_bytes: int, damaged: list[str]) -> None:
        self._folder, self._left = folder, most_bytes
        self.damaged = damaged

    def files(self) -> dict[str, dict[int, list[str]]]:
        """The files' names, by what they begin with and by segment."""
        found: dict[str, dict[int, list[str]]] = {}
        try:
            for name in self._names():
                match = NAME.fullmatch(name)
                if match is None:
                    self.damaged.append(f"{shown(name)}: not the name of a file of records")
                else:
                    found.setdefault(match[1], {}).setdefault(int(match[2]), []).append(name)
        except OSError as error:
            self.damaged.append(f"{shown(self._folder.name)}: {error.strerror}")
        return found

    def _names(self) -> list[str]:
        names: list[str] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if not entry.name.endswith(layout.SUFFIX):
                    continue
                if len(names) == _MOST_FILES:
                    self.damaged.append(f"there are more than {_MOST_FILES:,} files")
                    break
                if entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
                else:
                    self.damaged.append(f"{shown(entry.name)}: not a regular file")
        return sorted(names)

    def read(self, names: Iterable[str], most: int) -> tuple[str, bytes, int]:
        """What is in the first file that has anything in it: its name, its bytes, its length.

        Zeros at its end are left out, and what is beyond the most.
        """
        for name in names:
            try:
                data, size = self._read(name, most)
            except FileNotFoundError:  # another one took its place
                continue
            except OSError as error:
                self.damaged.append(f"{name}: {error.strerror}")
                continue
            except DamageError as why:
                self.damaged.append(f"{name}: {why}")
                continue
            data = data.rstrip(b"\0")
            if data:
                whole = -(-len(data) // SLOT_BYTES) * SLOT_BYTES
                return name, data.ljust(min(whole, size), b"\0"), size
        return "", b"", 0

    def cut(self, name: str, data: bytes, size: int, slots: int) -> bytes:
        """Hold a file to the length that it should have."""
        due = slots * SLOT_BYTES
        if size != due:
            self.damaged.append(f"{name}: it holds {size} bytes, and should hold {due}")
        return data[:due]

    def _read(self, name: str, most: int) -> tuple[bytes, int]:
        file = os.open(self._folder / name, _READING)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise DamageError("not a regular file")
            left = min(status.st_size, most)
            if left > self._left:
                raise DamageError("left out, as there are too many records")
            self._left -= left
            parts = []
            while left > 0 and (part := os.read(file, min(left, 1 << 20))):
                parts.append(part)
                left -= len(part)
        finally:
            os.close(file)
        return b"".join(parts), status.st_size


def shown(text: str) -> str:
    """A text with nothing in it that would be acted on where it is shown."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
