"""The life of the pool: for each connection a lane, with when it was opened, used and closed."""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report import Chart
from keepalive_bench.report.page.markup import (
    ARM_COLOURS,
    figure,
    folded_table,
    microseconds,
    no_chart,
)
from keepalive_bench.report.verbose import ended, why
from keepalive_bench.results.table import optional
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_OPENING = ("lane-opening", "being opened")
_KEY = (("lane-idle", "idle"), ("shape-cross", "closed"))
_MOST = 60
"""Lanes of all arms together."""
_MOST_SPANS = 2_500
"""Stretches of use in all lanes together."""
_ALIKE = 3
"""Arms share an axis where none of them takes less than a third of it."""
_FINEST = 2_000
"""Pauses shorter than this part of what is shown can't be seen."""

_WORDS = ("connection", "opened at", "why", "to", "responses", "in use for", "and then")

Span = tuple[int, int]
"""From … to …, in microseconds from the start of the run."""


class Lane(NamedTuple):
    """One connection's life; times in microseconds from the start of the run."""

    row: int
    opening: Span
    """From the request that needed it to its last handshake's end."""
    used: list[Span]
    end: int
    """Of the connection, or of the run."""
    ending: str
    """How it ended: `""` if it was open to the end."""
    words: tuple[str, ...]
    """What `_WORDS` says of it."""


class Lanes(NamedTuple):
    """The lanes of one arm: the connections that it opened first."""

    arm: ArmSummary
    lanes: list[Lane]
    shown: Span
    """The part of the run that is on the axis."""
    pause: int
    """Pauses up to this, in microseconds, are too short to be seen, and left out."""

    @property
    def is_part(self) -> bool:
        """Whether the arm opened more connections than have a lane."""
        return len(self.lanes) < self.arm.connections


def pool(run: Run, analysis: Analysis) -> Chart:
    """The lanes of each arm, and the same as tables."""
    if not len(run.connections):
        return no_chart("No connection was opened.")
    arms = _lanes(run, analysis)
    said = "; ".join(f"{it.arm.label} {plural(it.arm.connections, 'connection')}" for it in arms)
    notes = [
        f"Of the {it.arm.connections:,} connections of {it.arm.label} the first {len(it.lanes)} "
        "are shown."
        for it in arms
        if it.is_part
    ]
    if len({arm.shown for arm in arms}) > 1:
        notes.append("Each arm has an axis of its own: the time that its lanes take.")
    pause_s = max(arm.pause for arm in arms) / 1e6
    notes.append(f"Pauses below {duration(pause_s)} are too short to be seen here.")
    data = {
        "arms": [
            {"shown": arm.shown, "lanes": [_drawn(lane) for lane in arm.lanes]} for arm in arms
        ],
        "words": _WORDS,
    }
    used = [
        (f"arm-{number % ARM_COLOURS}", f"{it.arm.label} in use") for number, it in enumerate(arms)
    ]
    key = (_OPENING, *used, *_KEY)
    drawn = figure("pool", f"Connections over time: {said}.", notes, key)
    return Chart([drawn, *(_listed(it) for it in arms if it.lanes)], data)


def _listed(it: Lanes) -> Element:
    caption = f"Connections of {it.arm.label}"
    if it.is_part:
        caption += f" (the first {len(it.lanes)} of {it.arm.connections:,})"
    return folded_table(caption, _WORDS, [lane.words for lane in it.lanes])


def _drawn(lane: Lane) -> dict[str, object]:
    return {**lane._asdict(), "used": [time for span in lane.used for time in span]}


def _lanes(run: Run, analysis: Analysis) -> list[Lanes]:
    arms = len(analysis.arms)
    chosen = [
        (arm, run.connections.rows(arm.label)[: max(_MOST // arms, 1)]) for arm in analysis.arms
    ]
    uses = _uses(run, {row for _, rows in chosen for row in rows})
    setups, exchanges = run.setups(), run.exchanges
    handshakes_s = {  # in a tunnel, and TLS: TCP's handshake ends at `opened_s`
        row: sum(optional(setups[name][row]) or 0.0 for name in ("tunnel", "tls")) for row in uses
    }
    last = microseconds(max(map(add, exchanges.began_s, exchanges.latency_s), default=0.0))
    made = [
        (arm, [_lane(run, arm, row, handshakes_s[row], uses[row], last) for row in rows])
        for arm, rows in chosen
    ]
    spans = _shown(made, last)
    return [
        _of_arm(arm, found, span, _MOST_SPANS // arms)
        for (arm, found), span in zip(made, spans, strict=True)
    ]


def _shown(made: list[tuple[ArmSummary, list[Lane]]], last: int) -> list[Span]:
    """The time that is shown of each arm: the same of all, unless one's lanes took far less."""
    spans = []
    for arm, found in made:
        span = (0, last)
        if len(found) < arm.connections:
            span = (min(lane.opening[0] for lane in found), max(lane.end for lane in found))
        spans.append(span)
    whole = (min(start for start, _ in spans), max(end for _, end in spans))
    if min(end - start for start, end in spans) * _ALIKE >= whole[1] - whole[0]:
        return [whole] * len(spans)
    return spans


def _of_arm(arm: ArmSummary, made: list[Lane], shown: Span, most_spans: int) -> Lanes:
    pause = (shown[1] - shown[0]) // _FINEST
    while True:
        drawn = [lane._replace(used=_merged(lane.used, pause)) for lane in made]
        if sum(len(lane.used) for lane in drawn) <= max(most_spans, len(drawn)):
            return Lanes(arm, drawn, shown, pause)
        pause = 2 * pause + 1


def _uses(run: Run, wanted: set[int]) -> dict[int, list[Span]]:
    """When each of the wanted connections was in use, in order."""
    uses: dict[int, list[Span]] = {row: [] for row in wanted}
    it = run.exchanges
    columns = zip(it.connection, it.started_s, it.began_s, it.latency_s, strict=True)
    for connection, started_s, began_s, latency_s in columns:
        if connection in uses:
            span = (microseconds(started_s), microseconds(began_s + latency_s))
            uses[connection].append(span)
    return {row: sorted(spans) for row, spans in uses.items()}


def _merged(spans: Iterable[Span], pause: int) -> list[Span]:
    """The same with pauses closed that are no longer than that."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start - merged[-1][1] <= pause:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _lane(  # all that is known of it
    run: Run, arm: ArmSummary, row: int, handshakes_s: float, used: list[Span], last: int
) -> Lane:
    connection = run.connections[row]
    opened = microseconds(connection.opened_s)
    ready = microseconds(connection.opened_s + handshakes_s)
    closed = last if connection.ended_s is None else microseconds(connection.ended_s)
    return Lane(
        row=row,
        opening=(min(used[0][0], opened) if used else opened, ready),
        used=used,
        end=max(closed, used[-1][1] if used else ready),
        ending="" if connection.ending is None else connection.ending.kind,
        words=(
            f"{row}",
            duration(connection.opened_s),
            why(run, arm.reasons[row]),
            printable(connection.peer),
            f"{connection.exchanges:,}",
            duration(sum(end - start for start, end in used) / 1e6),
            ended(connection),
        ),
    )
