"""The life of the pool: when connections were opened, used and closed.

Each connection of an arm that keeps them has a lane. Where each carries one request, a lane says
nothing: all of an arm's are drawn as one band.
"""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report import Chart
from keepalive_bench.report.page.band import band, connections_ready
from keepalive_bench.report.page.markup import (
    ARM_COLOURS,
    figure,
    folded_table,
    microseconds,
    no_chart,
)
from keepalive_bench.report.verbose import ended, why
from keepalive_bench.units import duration, enumerated, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_OPENING = ("lane-opening", "being opened")
_KEY = (("lane-idle", "idle"), ("shape-cross", "closed"))
_MOST = 60
"""Lanes of all arms together."""
_MOST_LISTED = 30
"""Connections of an arm that has no lanes."""
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
    label: str
    """How much it carried, and why another took its place."""
    words: tuple[str, ...]
    """What `_WORDS` says of it."""


class Lanes(NamedTuple):
    """The lanes of one arm: the connections that it opened first."""

    arm: ArmSummary
    lanes: list[Lane]
    shown: Span
    """The part of the run that is on the axis."""
    pause: int = 0
    """Pauses up to this, in microseconds, are left out; 0: none is."""

    @property
    def is_part(self) -> bool:
        """Whether the arm opened more connections than have a lane."""
        return len(self.lanes) < self.arm.connections

    @property
    def is_drawn(self) -> bool:
        """Whether each has a lane in the picture, too."""
        return self.arm.traits.reuses


def pool(run: Run, analysis: Analysis) -> Chart:
    """The lanes of each arm that keeps connections, the band of each other, and all as tables."""
    if not len(run.connections):
        return no_chart("No connection was opened.")
    exchanges, ready_s = run.exchanges, connections_ready(run)
    last = microseconds(max(map(add, exchanges.began_s, exchanges.latency_s), default=0.0))
    arms = _lanes(run, analysis, ready_s, last)
    titles = [
        f"{it.arm.name}: {plural(it.arm.connections, 'connection')} for "
        f"{plural(it.arm.sent, 'request')}"
        for it in arms
    ]
    data = {
        "arms": [
            {"title": title, **_drawn(run, it, ready_s, last)}
            for title, it in zip(titles, arms, strict=True)
        ],
        "words": _WORDS,
    }
    drawn = figure("pool", f"Connections over time: {'; '.join(titles)}.", _notes(arms), _key(arms))
    return Chart([drawn, *(_listed(it) for it in arms if it.lanes)], data)


def _notes(arms: list[Lanes]) -> Iterator[str]:
    drawn = [it for it in arms if it.is_drawn]
    if drawn:
        yield "Each connection has a lane: how much it carried, and why another took its place."
    if len(drawn) < len(arms):
        others = enumerated([it.arm.name for it in arms if not it.is_drawn])
        yield f"Those of {others} carry one request each; a band is how many there are at once."
    for it in drawn:
        if it.is_part:
            yield (
                f"Of the {it.arm.connections:,} connections of {it.arm.name} the first "
                f"{len(it.lanes)} are shown."
            )
    if len({it.shown for it in arms}) > 1:
        yield "Each arm has an axis of its own: the time that its lanes take."
    pause = max((it.pause for it in drawn), default=0)
    if pause:
        yield f"Pauses below {duration(pause / 1e6)} are too short to be seen here."


def _key(arms: list[Lanes]) -> Iterator[tuple[str, str]]:
    yield _OPENING
    for number, it in enumerate(arms):
        yield f"arm-{number % ARM_COLOURS}", f"{it.arm.name} in use"
    if any(it.is_drawn for it in arms):
        yield from _KEY


def _listed(it: Lanes) -> Element:
    caption = f"Connections of {it.arm.name}"
    if it.is_part:
        caption += f" (the first {len(it.lanes)} of {it.arm.connections:,})"
    return folded_table(caption, _WORDS, [lane.words for lane in it.lanes])


def _drawn(run: Run, it: Lanes, ready_s: Sequence[float], last: int) -> dict[str, object]:
    if not it.is_drawn:
        return {"shown": it.shown, "band": band(run, it.arm.label, ready_s, last / 1e6)}
    lanes = (
        {**lane._asdict(), "used": [time for span in lane.used for time in span]}
        for lane in it.lanes
    )
    return {"shown": it.shown, "lanes": list(lanes)}


def _lanes(run: Run, analysis: Analysis, ready_s: Sequence[float], last: int) -> list[Lanes]:
    keeping = sum(arm.traits.reuses for arm in analysis.arms)
    chosen = [
        (arm, run.connections.rows(arm.label)[: _MOST // keeping if keeps else _MOST_LISTED])
        for arm in analysis.arms
        for keeps in [arm.traits.reuses]
    ]
    uses = _uses(run, {row for _, rows in chosen for row in rows})
    made = [
        Lanes(
            arm,
            _labelled(arm, [_lane(run, arm, row, ready_s[row], uses[row], last) for row in rows]),
            (0, last),
        )
        for arm, rows in chosen
    ]
    spans = _shown([it for it in made if it.is_drawn], last)
    return [
        _of_arm(it, spans[it.arm.label], _MOST_SPANS // keeping) if it.is_drawn else it
        for it in made
    ]


def _labelled(arm: ArmSummary, lanes: list[Lane]) -> list[Lane]:
    """The same, each with why a later one had to be opened in its place."""
    reasons = (arm.reasons[lane.row] for lane in lanes)
    then = {it.previous: f", then {it.code}" for it in reasons if it.previous is not None}
    return [lane._replace(label=lane.label + then.get(lane.row, "")) for lane in lanes]


def _shown(made: list[Lanes], last: int) -> dict[str, Span]:
    """The time that is shown of each arm: the same of all, unless one's lanes took far less."""
    spans = {it.arm.label: (0, last) for it in made}
    for it in made:
        if it.is_part:
            start = min(lane.opening[0] for lane in it.lanes)
            spans[it.arm.label] = (start, max(lane.end for lane in it.lanes))
    if min((end - start for start, end in spans.values()), default=0) * _ALIKE >= last:
        return dict.fromkeys(spans, (0, last))
    return spans


def _of_arm(it: Lanes, shown: Span, most_spans: int) -> Lanes:
    pause = (shown[1] - shown[0]) // _FINEST
    uses = sum(len(lane.used) for lane in it.lanes)
    while True:
        drawn = [lane._replace(used=merged(lane.used, pause)) for lane in it.lanes]
        spans = sum(len(lane.used) for lane in drawn)
        if spans <= max(most_spans, len(drawn)):
            return Lanes(it.arm, drawn, shown, pause if spans < uses else 0)
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


def merged(spans: Iterable[Span], pause: int) -> list[Span]:
    """The same with pauses closed that are no longer than that."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start - merged[-1][1] <= pause:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _lane(  # all that is known of it
    run: Run, arm: ArmSummary, row: int, ready_s: float, used: list[Span], last: int
) -> Lane:
    connection, reason = run.connections[row], arm.reasons[row]
    opened, ready = microseconds(connection.opened_s), microseconds(ready_s)
    closed = last if connection.ended_s is None else microseconds(connection.ended_s)
    return Lane(
        row=row,
        opening=(min(used[0][0], opened) if used else opened, ready),
        used=used,
        end=max(closed, used[-1][1] if used else ready),
        ending="" if connection.ending is None else connection.ending.kind,
        label=plural(connection.exchanges, "response"),
        words=(
            f"{row}",
            duration(connection.opened_s),
            why(run, reason),
            printable(connection.peer),
            f"{connection.exchanges:,}",
            duration(sum(end - start for start, end in used) / 1e6),
            ended(connection),
        ),
    )
