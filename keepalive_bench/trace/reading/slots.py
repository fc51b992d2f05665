"""The slots of one process's files, and what they refer to: texts, origins, answers, calls."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_args

from keepalive_bench.results.exchange import Answer, Framing
from keepalive_bench.trace.reading.files import DamageError, shown
from keepalive_bench.trace.recording import Frame, Origin
from keepalive_bench.trace.tracer._kab_tracer import layout
from keepalive_bench.trace.tracer._kab_tracer.layout import SLOT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keepalive_bench.trace.reading.files import Files
    from keepalive_bench.trace.recording import Stack
    from keepalive_bench.trace.tracer._kab_tracer.layout import Layout

_MOST_PARTS = -(-layout.LONGEST_TEXT // layout.CHUNK_BYTES)
_DEEPEST = 200
"""Calls of a stack."""
_HIGHEST = 8
"""Clients above one another."""
_MOST_KEPT = 20_000
"""Texts, stacks and so on that are kept to be told again."""
_LONGEST_FILE = layout.MOST_SLOTS * SLOT_BYTES
LATEST_S = 1e11
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(?:\[([^\]/]+)\]|([^:/]+)):(\d{1,5})", re.ASCII)
_UNIX = "unix://"
UNKNOWN = "unknown"
_VIA_AT = layout.CONNECTION.names.index("via")
_FRAMINGS = frozenset(get_args(Framing))
_K = TypeVar("_K")
_V = TypeVar("_V")


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


class Slots:
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
            found = _keep(self._texts, number, shown(self._raw(number)))
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
                found = Origin(UNKNOWN, UNKNOWN, 0)
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
            parts = [shown(part) for part in self._raw(number).split("\t")]
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


def slots_of(key: str, segments: Mapping[int, list[str]], files: Files) -> Slots | None:
    """Read all files of a process; `None`: there is nothing in them yet.

    Raises:
        DamageError: none of it can be made sense of.
    """
    name, data, size = files.read(segments.get(0, ()), _LONGEST_FILE)
    if not data and max(segments) > 0:
        raise DamageError("its first file is missing")
    if not data:
        return None
    head = _head(key, data)
    starts, parts = [0], [files.cut(name, data, size, head.first)]
    for segment in range(1, max(segments) + 1):
        if segment not in segments:
            files.damaged.append(f"{key}: its file {segment} is missing")
            break
        name, data, size = files.read(segments[segment], _LONGEST_FILE)
        starts.append(layout.start_of(segment, head.first))
        slots = layout.start_of(segment + 1, head.first) - starts[-1]
        parts.append(files.cut(name, data, size, slots) if data else b"")
    broken = sum(map(_broken, parts))
    if broken:
        files.damaged.append(f"{key}: {broken} records aren't whole")
    return Slots(head, starts, parts)


def _head(key: str, data: bytes) -> _Head:
    """The process's own record.

    Raises:
        DamageError: it isn't there, or makes no sense.
    """
    values = _values(data, 0, layout.PROCESS)
    if values is None:
        raise DamageError("it doesn't begin with a process's record")
    head = _Head(*values)
    if head.version != layout.VERSION:
        raise DamageError(f"its records are of version {head.version}, not {layout.VERSION}")
    is_sound = (
        head.pid == int(key.partition("-")[0])
        and 0 < head.started < LATEST_S
        and 0 < head.wall < LATEST_S
        and 0 < head.first <= layout.MOST_SLOTS
    )
    if not is_sound:
        raise DamageError("its process's record makes no sense")
    return head


def _broken(data: bytes) -> int:
    """How many slots don't end as they begin; what hasn't begun may be written just now."""
    heads, tails = (
        data[::SLOT_BYTES],
        data[SLOT_BYTES - 1 :: SLOT_BYTES].ljust(-(-len(data) // SLOT_BYTES), b"\0"),
    )
    return 0 if heads == tails else sum(a != b for a, b in zip(heads, tails, strict=True) if a)


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
