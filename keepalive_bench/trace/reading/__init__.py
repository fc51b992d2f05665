"""A folder of records → what was recorded: also while programs write, and of files that lie.

The folder may be of another user's program. So nothing in it is believed: what doesn't fit is left
out or told as damaged, every chain of records has an end, and no file is mapped into memory, which
its owner could cut short under kab's feet.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.trace.reading.files import NAME, DamageError, Files
from keepalive_bench.trace.reading.slots import LATEST_S, UNKNOWN, slots_of
from keepalive_bench.trace.recording import (
    Child,
    Client,
    Connection,
    Exchange,
    Process,
    Recording,
)
from keepalive_bench.trace.tracer._kab_tracer import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keepalive_bench.trace.reading.slots import Slots

_MOST_BYTES = 2 << 30
_MOST_CHILDREN = 1_000_000
_MOST_TROUBLES = 100
_MOST_DAMAGED = 1_000


def read(folder: Path, most_bytes: int = _MOST_BYTES) -> Recording:
    """What was recorded up to now. It raises nothing, whatever there is in the folder.

    Args:
        folder: of records; programs may be writing into it.
        most_bytes: what is beyond so many is left out, and told as damaged.
    """
    damaged: list[str] = []
    files = Files(folder, most_bytes, damaged)
    found = (_process(key, segments, files) for key, segments in files.files().items())
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


def _process(key: str, segments: Mapping[int, list[str]], files: Files) -> Process | None:
    """A process; `None`: nothing is known of it, or nothing that makes sense."""
    try:
        slots = slots_of(key, segments, files)
    except DamageError as why:
        files.damaged.append(f"{key}: {why}")
        return None
    if slots is None:
        return None
    head = slots.head
    forked_from = slots.text(head.forked_from)
    return Process(
        key=key,
        pid=head.pid,
        parent=head.parent,
        forked_from=forked_from if NAME.fullmatch(f"{forked_from}-0.kab") else None,
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


def _troubles(slots: Slots) -> Iterator[str]:
    for _, number in zip(range(_MOST_TROUBLES), slots.numbers(layout.TROUBLE), strict=False):
        values = slots.values(layout.TROUBLE, number)
        text = slots.text(values[0]) if values else ""
        if text:
            yield text


def _children(slots: Slots) -> Iterator[Child]:
    for _, number in zip(range(_MOST_CHILDREN), slots.numbers(layout.CHILD), strict=False):
        values = slots.values(layout.CHILD, number)
        if values and values[1] and 0 < values[2] < LATEST_S:
            flags, pid, started = values
            is_python, is_closed = flags & layout.IS_PYTHON, flags & layout.IS_CLOSED_TO_TRACERS
            is_shut_out = flags & layout.IS_SHUT_OUT
            yield Child(pid, started, bool(is_python), bool(is_closed), bool(is_shut_out))


class _Clients(Mapping[int, Client]):
    """Clients by number, made as they are asked for."""

    def __init__(self, slots: Slots) -> None:
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
            kind=slots.text(kind) or UNKNOWN,
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


def _connections(slots: Slots) -> Iterator[Connection]:
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
            failure=(slots.text(detail) or UNKNOWN) if has_failed else None,
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


def _exchanges(slots: Slots) -> Iterator[Exchange]:
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


def _sound(began: float, slots: Slots) -> float:
    """When something began; where that can't be, when the process did."""
    return began if 0 < began < LATEST_S else slots.head.started


def _later(began: float, time: float) -> float | None:
    """A time after another one; `None`: there is none, or it can't be."""
    return time if began <= time < LATEST_S else None
