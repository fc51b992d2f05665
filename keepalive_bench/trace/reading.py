"""A folder of records → what was recorded: also while programs write, and of files that lie.

The folder may be of another user's program. So nothing in it is believed: what doesn't fit is left
out or told as damaged, every chain of records has an end, and no file is mapped into memory, which
its owner could cut short under kab's feet.
"""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_right
from collections.abc import Mapping
from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_args

from keepalive_bench.results.exchange import Answer, Framing
from keepalive_bench.trace.recording import (
    Child,
    Client,
    Connection,
    Exchange,
    Frame,
    Origin,
    Process,
    Recording,
)
from keepalive_bench.trace.tracer._kab_tracer import layout
from keepalive_bench.trace.tracer._kab_tracer.layout import SLOT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from keepalive_bench.trace.recording import Stack
    from keepalive_bench.trace.tracer._kab_tracer.layout import Layout

_MOST_BYTES = 2 << 30
_MOST_FILES = 500_000
_MOST_CHILDREN = 1_000_000
_MOST_TROUBLES = 100
_MOST_DAMAGED = 1_000
_MOST_PARTS = -(-layout.LONGEST_TEXT // layout.CHUNK_BYTES)
_DEEPEST = 200
"""Calls of a stack."""
_HIGHEST = 8
"""Clients above one another."""
_MOST_KEPT = 20_000
"""Texts, stacks and so on that are kept to be told again."""
_LONGEST_FILE = layout.MOST_SLOTS * SLOT_BYTES
_LATEST_S = 1e11
_FLAGS = "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"
_READING = reduce(or_, (getattr(os, name, 0) for name in _FLAGS), os.O_RDONLY)
"""Whatever there is of these: not each system has all."""

_NAME = re.compile(r"([1-9]\d{0,9}-\d{1,20})-(0|[1-9]\d{0,5})(?:\.\d{1,6})?\.kab", re.ASCII)
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(?:\[([^\]/]+)\]|([^:/]+)):(\d{1,5})", re.ASCII)
_UNIX = "unix://"
_UNKNOWN = "unknown"
_VIA_AT = layout.CONNECTION.names.index("via")
_FRAMINGS = frozenset(get_args(Framing))
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would be acted on where it is shown."""


_K = TypeVar("_K")
_V = TypeVar("_V")


class _DamageError(Exception):
    """A file isn't what it should be; the text says why."""


def read(folder: Path, most_bytes: int = _MOST_BYTES) -> Recording:
    """What was recorded up to now. It raises nothing, whatever there is in the folder.

    Args:
        folder: of records; programs may be writing into it.
        most_bytes: what is beyond so many is left out, and told as damaged.
    """
    damaged: list[str] = []
    reader = _Reader(folder, most_bytes, damaged)
    found = (_process(key, segments, reader) for key, segments in reader.files().items())
    processes = [it for it in found if it is not None]
    processes.sort(key=lambda it: (it.started_s, it.wall_s, it.key))
    if len(damaged) > _MOST_DAMAGED:
        damaged[_MOST_DAMAGED:] = [f"and {len(damaged) - _MOST_DAMAGED} more"]
    return Recording(tuple(_without_circles(processes)), tuple(damaged))


def _without_circles(processes: list[Process]) -> Iterator[Process]:
    """Processes, each forked from an earlier one, or from one that isn't there."""
    later = {it.key for it in processes}
    for process in processes:
        yield process._replace(forked_from=None) if process.forked_from in later else process
        later.discard(process.key)


class _Reader:
    """Reads the files of a folder, and no more of them than it may."""

    def __init__(self, folder: Path, most_bytes: int, damaged: list[str]) -> None:
        self._folder, self._left = folder, most_bytes
        self.damaged = damaged

    def files(self) -> dict[str, dict[int, list[str]]]:
        """The files' names, by what they begin with and by segment."""
        found: dict[str, dict[int, list[str]]] = {}
        try:
            for name in self._names():
                match = _NAME.fullmatch(name)
                if match is None:
                    self.damaged.append(f"{_shown(name)}: not the name of a file of records")
                else:
                    found.setdefault(match[1], {}).setdefault(int(match[2]), []).append(name)
        except OSError as error:
            self.damaged.append(f"{_shown(self._folder.name)}: {error.strerror}")
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
                    self.damaged.append(f"{_shown(entry.name)}: not a regular file")
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
            except _DamageError as why:
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
                raise _DamageError("not a regular file")
            left = min(status.st_size, most)
            if left > self._left:
                raise _DamageError("left out, as there are too many records")
            self._left -= left
            parts = []
            while left > 0 and (part := os.read(file, min(left, 1 << 20))):
                parts.append(part)
                left -= len(part)
        finally:
            os.close(file)
        return b"".join(parts), status.st_size


class _Head(NamedTuple):
    """The process's own record, as it is in slot 0."""

    version: int
    python: int
    pid: int
    parent: int
    started: float
    wall: float
    ended: float
    lost: int
    errors: int
    forked_from: int
    first: int


class _Slots:
    """All slots of one process, as they were when they were read."""

    def __init__(self, head: _Head, starts: list[int], data: list[bytes]) -> None:
        self.head = head
        self._starts, self._data = starts, data
        self._texts: dict[int, str] = {}
        self._origins: dict[tuple[int, int], Origin] = {}
        self._answers: dict[int, Answer | None] = {}
        self._frames: dict[int, tuple[int, Frame]] = {}
        self._stacks: dict[int, Stack] = {}

    def numbers(self, kind: Layout) -> Iterator[int]:
        """The numbers of all records of a kind, in order."""
        sought = bytes((kind.kind,))
        for start, data in zip(self._starts, self._data, strict=True):
            kinds, tails = data[::SLOT_BYTES], data[SLOT_BYTES - 1 :: SLOT_BYTES]
            at = kinds.find(sought)
            while at >= 0:
                if at < len(tails) and tails[at] == kind.kind:
                    yield start + at
                at = kinds.find(sought, at + 1)

    def values(self, kind: Layout, number: int) -> tuple[Any, ...] | None:
        """What a record says; `None`: there is none of that kind and number."""
        segment = bisect_right(self._starts, number) - 1
        return _values(self._data[segment], number - self._starts[segment], kind)

    def has(self, kind: Layout, number: int) -> bool:
        """Whether there is a record of that kind and number."""
        segment = bisect_right(self._starts, number) - 1
        data, at = self._data[segment], (number - self._starts[segment]) * SLOT_BYTES
        return at + SLOT_BYTES <= len(data) and data[at] == data[at + SLOT_BYTES - 1] == kind.kind

    def text(self, number: int) -> str:
        """A text, with nothing in it that a terminal would act on."""
        found = self._texts.get(number)
        if found is None:
            found = _keep(self._texts, number, _shown(self._raw(number)))
        return found

    def _raw(self, number: int) -> str:
        parts: list[bytes] = []
        while number and len(parts) < _MOST_PARTS:
            values = self.values(layout.TEXT, number)
            if values is None:
                break
            segment = bisect_right(self._starts, number) - 1
            at = (number - self._starts[segment]) * SLOT_BYTES + layout.CHUNK_OFFSET
            parts.append(self._data[segment][at : at + min(values[0], layout.CHUNK_BYTES)])
            number = values[1]
        return b"".join(parts).decode("utf-8", "replace")

    def origin(self, number: int, via: int = 0) -> Origin:
        """An origin, from its text and that of the proxy's."""
        found = self._origins.get((number, via))
        if found is None:
            text = self.text(number)
            match = _ORIGIN.fullmatch(text)
            if text.startswith(_UNIX):
                found = Origin("unix", text.removeprefix(_UNIX), 0)
            elif match is None or int(match[4]) > 65_535:  # noqa: PLR2004  # the highest port
                found = Origin(_UNKNOWN, _UNKNOWN, 0)
            else:
                through = self.text(via) or None
                found = Origin(match[1], match[2] or match[3], int(match[4]), through)
            _keep(self._origins, (number, via), found)
        return found

    def via(self, number: int) -> int:
        """The text of a connection's proxy; 0: there is none."""
        values = self.values(layout.CONNECTION, number)
        return 0 if values is None else int(values[_VIA_AT])

    def answer(self, number: int) -> Answer | None:
        """What an answer said; `None`: there is no text of it."""
        if number not in self._answers:
            parts = [_shown(part) for part in self._raw(number).split("\t")]
            _keep(self._answers, number, _answer(parts) if number and parts[0] else None)
        return self._answers[number]

    def frame(self, number: int) -> Frame | None:
        """One call."""
        found = self._call(number)
        return found[1] if found else None

    def stack(self, number: int) -> Stack:
        """A call and those around it."""
        found = self._stacks.get(number)
        if found is None:
            calls: list[Frame] = []
            at = number
            while len(calls) < _DEEPEST and (call := self._call(at)) is not None:
                at = call[0]
                calls.append(call[1])
            found = _keep(self._stacks, number, tuple(calls))
        return found

    def _call(self, number: int) -> tuple[int, Frame] | None:
        """A call's caller's number, and the call."""
        found = self._frames.get(number)
        if found is None:
            values = self.values(layout.FRAME, number) if number else None
            if values is None:
                return None
            caller, file, function, line = values
            found = caller, Frame(self.text(file), line, self.text(function))
            _keep(self._frames, number, found)
        return found

    def client(self, number: int) -> int | None:
        """A client's number, where there is that client."""
        return number if number and self.has(layout.CLIENT, number) else None

    def parent_client(self, number: int, of: int) -> int | None:
        """The client that a client belongs to; `None`: none, or it belongs to itself in the end."""
        above = of
        for _ in range(_HIGHEST):
            values = self.values(layout.CLIENT, above) if above else None
            if above == number:
                return None
            if values is None:
                return self.client(of)
            above = values[1]
        return None


def _values(data: bytes, index: int, kind: Layout) -> tuple[Any, ...] | None:
    at = index * SLOT_BYTES
    if at + SLOT_BYTES > len(data):
        return None
    if not data[at] == data[at + SLOT_BYTES - 1] == kind.kind:
        return None
    return kind.struct.unpack_from(data, at)[1:-1]


def _keep(kept: dict[_K, _V], key: _K, value: _V) -> _V:
    """Keep what was made of records: of honest ones, there isn't so much."""
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
    return value


def _slots(key: str, segments: Mapping[int, list[str]], reader: _Reader) -> _Slots | None:
    """Read all files of a process; `None`: there is nothing in them yet.

    Raises:
        _DamageError: none of it can be made sense of.
    """
    name, data, size = reader.read(segments.get(0, ()), _LONGEST_FILE)
    if not data and max(segments) > 0:
        raise _DamageError("its first file is missing")
    if not data:
        return None
    head = _head(key, data)
    starts, parts = [0], [reader.cut(name, data, size, head.first)]
    for segment in range(1, max(segments) + 1):
        if segment not in segments:
            reader.damaged.append(f"{key}: its file {segment} is missing")
            break
        name, data, size = reader.read(segments[segment], _LONGEST_FILE)
        starts.append(layout.start_of(segment, head.first))
        slots = layout.start_of(segment + 1, head.first) - starts[-1]
        parts.append(reader.cut(name, data, size, slots) if data else b"")
    broken = sum(map(_broken, parts))
    if broken:
        reader.damaged.append(f"{key}: {broken} records aren't whole")
    return _Slots(head, starts, parts)


def _head(key: str, data: bytes) -> _Head:
    """The process's own record.

    Raises:
        _DamageError: it isn't there, or makes no sense.
    """
    values = _values(data, 0, layout.PROCESS)
    if values is None:
        raise _DamageError("it doesn't begin with a process's record")
    head = _Head(*values)
    if head.version != layout.VERSION:
        raise _DamageError(f"its records are of version {head.version}, not {layout.VERSION}")
    is_sound = (
        head.pid == int(key.partition("-")[0])
        and 0 < head.started < _LATEST_S
        and 0 < head.wall < _LATEST_S
        and 0 < head.first <= layout.MOST_SLOTS
    )
    if not is_sound:
        raise _DamageError("its process's record makes no sense")
    return head


def _broken(data: bytes) -> int:
    """How many slots don't end as they begin; what hasn't begun may be written just now."""
    heads, tails = (
        data[::SLOT_BYTES],
        data[SLOT_BYTES - 1 :: SLOT_BYTES].ljust(-(-len(data) // SLOT_BYTES), b"\0"),
    )
    return 0 if heads == tails else sum(a != b for a, b in zip(heads, tails, strict=True) if a)


def _process(key: str, segments: Mapping[int, list[str]], reader: _Reader) -> Process | None:
    """A process; `None`: nothing is known of it, or nothing that makes sense."""
    try:
        slots = _slots(key, segments, reader)
    except _DamageError as why:
        reader.damaged.append(f"{key}: {why}")
        return None
    if slots is None:
        return None
    head = slots.head
    forked_from = slots.text(head.forked_from)
    return Process(
        key=key,
        pid=head.pid,
        parent=head.parent,
        forked_from=forked_from if _NAME.fullmatch(f"{forked_from}-0.kab") else None,
        python=(head.python >> 8, head.python & 0xFF),
        wall_s=head.wall,
        started_s=head.started,
        ended_s=_later(head.started, head.ended),
        lost=head.lost,
        errors=head.errors,
        troubles=tuple(_troubles(slots)),
        children=tuple(_children(slots)),
        clients=_Clients(slots),
        connections=partial(_connections, slots),
        exchanges=partial(_exchanges, slots),
    )


def _troubles(slots: _Slots) -> Iterator[str]:
    for _, number in zip(range(_MOST_TROUBLES), slots.numbers(layout.TROUBLE), strict=False):
        values = slots.values(layout.TROUBLE, number)
        text = slots.text(values[0]) if values else ""
        if text:
            yield text


def _children(slots: _Slots) -> Iterator[Child]:
    for _, number in zip(range(_MOST_CHILDREN), slots.numbers(layout.CHILD), strict=False):
        values = slots.values(layout.CHILD, number)
        if values and values[1] and 0 < values[2] < _LATEST_S:
            flags, pid, started = values
            is_python, is_closed = flags & layout.IS_PYTHON, flags & layout.IS_CLOSED_TO_TRACERS
            is_shut_out = flags & layout.IS_SHUT_OUT
            yield Child(pid, started, bool(is_python), bool(is_closed), bool(is_shut_out))


class _Clients(Mapping[int, Client]):
    """Clients by number, made as they are asked for."""

    def __init__(self, slots: _Slots) -> None:
        self._slots = slots
        self._count: int | None = None

    def __getitem__(self, number: int) -> Client:
        slots = self._slots
        values = slots.values(layout.CLIENT, number)
        if values is None:
            raise KeyError(number)
        flags, of, kind, origin, frame, differs, most, made, ended = values
        began = _sound(made, slots)
        return Client(
            number=number,
            of=slots.parent_client(number, of),
            kind=slots.text(kind) or _UNKNOWN,
            origin=slots.origin(origin) if origin else None,
            stack=slots.stack(frame),
            differs=tuple(filter(None, slots.text(differs).split(","))),
            most=most if most >= 0 else None,
            blocks=bool(flags & layout.BLOCKS),
            made_s=began,
            ended_s=_later(began, ended),
        )

    def __iter__(self) -> Iterator[int]:
        return self._slots.numbers(layout.CLIENT)

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count


def _connections(slots: _Slots) -> Iterator[Connection]:
    for number in slots.numbers(layout.CONNECTION):
        values = slots.values(layout.CONNECTION, number)
        if values is None:
            continue
        flags, origin, *refers, began, connected, ready, ended, detail, ending = values
        via, client, previous, frame = refers
        if not (connected or flags & (layout.HAS_FAILED | layout.IS_INHERITED)):
            continue  # it is being opened
        began = _sound(began, slots)
        is_inherited, has_failed = flags & layout.IS_INHERITED, flags & layout.HAS_FAILED
        is_known = 0 < previous < number and slots.has(layout.CONNECTION, previous)
        yield Connection(
            number=number,
            origin=slots.origin(origin, via),
            is_tls=bool(flags & layout.IS_TLS),
            is_tunnel=bool(flags & layout.IS_TUNNEL),
            is_shared=bool(flags & layout.IS_SHARED),
            failure=(slots.text(detail) or _UNKNOWN) if has_failed else None,
            inherited_from=previous if is_inherited else None,
            client=slots.client(client),
            previous=previous if is_known and not is_inherited else None,
            stack=slots.stack(frame),
            closing_stack=() if has_failed else slots.stack(detail),
            began_s=began,
            connected_s=_later(began, connected),
            ready_s=_later(began, ready),
            ended_s=_later(began, ended),
            ending=layout.ENDINGS[ending if ending < len(layout.ENDINGS) else 0],
        )


def _exchanges(slots: _Slots) -> Iterator[Exchange]:
    kind, values_of, has, frame_of = layout.EXCHANGE, slots.values, slots.has, slots.frame
    for number in slots.numbers(kind):
        values = values_of(kind, number)
        if values is None:
            continue
        flags, connection, frame, who, began, sent, answered, ended, *texts, status = values
        answer, detail, origin = texts
        began = _sound(began, slots)
        is_redirect = flags & layout.IS_REDIRECT
        is_known = connection and has(layout.CONNECTION, connection)
        yield Exchange(
            number,
            connection if is_known else None,
            slots.origin(origin, slots.via(connection)) if origin and is_known else None,
            who,
            frame_of(frame),
            began,
            _later(began, sent),
            _later(began, answered),
            _later(began, ended),
            status or None,
            slots.answer(answer) if answer else None,
            slots.text(detail) if detail and not is_redirect else None,
            slots.origin(detail) if is_redirect else None,
            bool(flags & layout.ASKS_TO_CLOSE),
            bool(flags & layout.HAS_BODY),
            bool(flags & layout.IS_HTTP_2),
        )


def _answer(parts: list[str]) -> Answer:
    said = dict(
        zip(layout.ANSWER_FIELDS, (None if it == "-" else it for it in parts), strict=False)
    )
    framing = said.get("framing")
    return Answer(
        http_version=said.get("http_version") or "?",
        connection=said.get("connection"),
        keep_alive=said.get("keep_alive"),
        framing=cast("Framing", framing) if framing in _FRAMINGS else "length",
        server=said.get("server"),
        via=said.get("via"),
    )


def _sound(began: float, slots: _Slots) -> float:
    """When something began; where that can't be, when the process did."""
    return began if 0 < began < _LATEST_S else slots.head.started


def _later(began: float, time: float) -> float | None:
    """A time after another one; `None`: there is none, or it can't be."""
    return time if began <= time < _LATEST_S else None


def _shown(text: str) -> str:
    """A text with nothing in it that would be acted on where it is shown."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
