"""Files that are read whole: bounded, as some have no end (`/dev/zero`), and some are too large."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import IO, NoReturn

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.limits import LARGEST_BODY
from keepalive_bench.units import filename, size

LARGEST_FILE = 2**26
"""Bytes of a file that is no body: a bundle of all certificates there are has a hundredth of it."""
_PIECE = 2**20
_STDIN = "-"


def read_file(path: Path, option: str, most: int = LARGEST_FILE) -> bytes:
    """A file's bytes, as an option asks for them.

    Raises:
        UsageError: it can't be read, or is too large.
    """
    shown = filename(path)
    try:
        with path.open("rb") as file:
            return _whole(file, shown, option, most)
    except OSError as error:
        raise UsageError(f"{shown} can't be read ({option}): {error.strerror}.") from None


def read_part(text: str, option: str, most: int = LARGEST_BODY) -> bytes:
    """A body, or a part of one: text as it is, `@FILE` byte for byte, `-` from standard input.

    Raises:
        UsageError: it can't be read, or is too large.
    """
    if text in {_STDIN, f"@{_STDIN}"}:
        return _standard_input(option, most)
    if text.startswith("@"):
        return read_file(Path(text[1:]), option, most)
    return text.encode(errors="surrogateescape")


def check_file(path: Path | None, option: str) -> None:
    """Look at a file that OpenSSL or Python will read by itself, to the end.

    Raises:
        UsageError: it can't be read, is too large, or a device, which may have no end.
    """
    if path is None:
        return
    shown = filename(path)
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"{shown} can't be read ({option}): {error.strerror}.") from None
    if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
        raise UsageError(f"{shown} is a device ({option}): name a file.")
    if found.st_size > LARGEST_FILE:
        _refuse_size(shown, option, LARGEST_FILE)


def _standard_input(option: str, most: int) -> bytes:
    if sys.stdin is None:  # whoever started kab has closed it
        raise UsageError(f"Standard input can't be read ({option}): it is closed.")
    try:
        return _whole(sys.stdin.buffer, "Standard input", option, most)
    except OSError as error:
        raise UsageError(f"Standard input can't be read ({option}): {error.strerror}.") from None


def _whole(file: IO[bytes], shown: str, option: str, most: int) -> bytes:
    parts, length = [], 0
    while part := file.read(_PIECE):
        parts.append(part)
        length += len(part)
        if length > most:
            _refuse_size(shown, option, most)
    return b"".join(parts)


def _refuse_size(shown: str, option: str, most: int) -> NoReturn:
    raise UsageError(f"{shown} is too large ({option}): {size(most)} are the most.")
