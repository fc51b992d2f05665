"""The words and numbers of several places, once; each dialect only sets them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from keepalive_bench.places.sentence import some_of
from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.units import MISSING, duration, interval, plural, printable, rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.places.differences import Difference
    from keepalive_bench.places.place import ArmThere, Place
    from keepalive_bench.places.report import Places
    from keepalive_bench.report import Part

_MOST_VALUES = 8
_MOST_TRIPS = 50
"""Of a latency above that, the network is none of the causes."""
_LOST = "lost"
SMALL_PRINT = (
    "Latencies are medians, and savings are differences of medians. A round trip is the network's "
    "shortest, as the system measured it in TCP's handshakes, or else what these took; through a "
    "proxy, it is the proxy's."
)


def place_table(found: Places) -> TextTable:
    """A row for each place; those that are lost come last."""
    places = found.places
    labels = [*dict.fromkeys(_called(it, arm) for it in places for arm in it.arms)]
    groups = (
        (
            (_column("round trip", (duration(it.round_trip_s) for it in places)),),
            *_requests(places),
            *_connections(places),
        ),
        (*((_latency(places, it),) for it in labels), (_in_round_trips(places),)),
        (
            _saving(places),
            (TextColumn("verdict", tuple(map(_verdict, places)), justify="left"),),
        ),
    )
    named = [*(it.name for it in places), *(it.name for it in found.lost)]
    names = TextColumn("place", tuple(map(printable, named)))
    table = TextTable("Places", names, groups).without_empty_columns()
    return _with_lost(table, len(found.lost))


def _called(place: Place, arm: ArmThere) -> str:
    """An arm's label; of a sweep's, with what its value is of."""
    swept = place.plan.experiment.sweep
    return arm.label if swept is None else f"{swept} {arm.label}"


def _verdict(place: Place) -> str:
    """In a word; of a sweep, the value that it recommends, or why none."""
    swept, found = place.plan.experiment.sweep, place.document["recommendation"]
    if swept is None or found is None:
        return place.verdict.code
    value: int | None = found.get(swept)
    return f"{found['code']}" if value is None else f"{swept} {value:,}"


def _column(heading: str, cells: Iterable[str]) -> TextColumn:
    """Empty, and so left out, where nothing is known of any place."""
    found = tuple(cells)
    return TextColumn(heading, found if any(it != MISSING for it in found) else ("",) * len(found))


def _requests(places: Sequence[Place]) -> Iterator[Part]:
    """Those of all arms, where they aren't the same everywhere."""
    counts = [sum(arm.sent for arm in it.arms) for it in places]
    if len({*counts}) > 1:
        yield (_column("requests", (f"{it:,}" for it in counts)),)


def _connections(places: Sequence[Place]) -> Iterator[Part]:
    """Of the arm that keeps them: what the others open is one for each request."""
    labels = {_called(it, it.first) for it in places}
    of = labels.pop() if len(labels) == 1 else "of the first arm"
    yield (_column(f"connections {of}", (f"{it.first.connections:,}" for it in places)),)
    cells = (_reopened(it) for it in places)
    yield (TextColumn("reopened", tuple(cells), justify="left"),)


def _reopened(place: Place) -> str:
    if not place.first.reasons:
        return "0"
    return ", ".join(f"{count:,} {code}" for code, count in place.first.reasons.items())


def _latency(places: Sequence[Place], label: str) -> TextColumn:
    found = (_latencies(it).get(label) for it in places)
    return _column(label, map(duration, found))


def _latencies(place: Place) -> dict[str, float | None]:
    return {_called(place, arm): arm.latency_s for arm in place.arms}


def _in_round_trips(places: Sequence[Place]) -> TextColumn:
    """The latencies of a place, arm by arm, as multiples of its round trip: `1.0 : 2.0`."""

    def cell(place: Place) -> str:
        found = [it.latency_s for it in place.arms]
        known = [it for it in found if it is not None]
        if not place.round_trip_s or not known or place.plan.network.proxy is not None:
            return MISSING
        if max(known) > _MOST_TRIPS * place.round_trip_s:
            return MISSING
        return " : ".join(
            MISSING if it is None else f"{it / place.round_trip_s:.1f}" for it in found
        )

    return _column("in round trips", map(cell, places))


def _saving(places: Sequence[Place]) -> Part:
    cells, ends = [], []
    for it in places:
        estimate, low, high = it.saving_s
        cells.append(_saved(estimate))
        if low is None or high is None:
            ends.append("")
        else:
            ends.append(interval(low, high, beside=estimate, said=_saved))
    level = {it.plan.decision_rule.ci for it in places}
    heading = level.pop() if len(level) == 1 else "interval"
    return _column("saves", cells), _column(heading, ends)


def _saved(seconds: float | None) -> str:
    """So much less, or more: `0.4 ms`, `−1.2 ms`."""
    return duration(seconds).replace("-", "−")


def _with_lost(table: TextTable, count: int) -> TextTable:
    """The same with rows of places that nothing is known of."""

    def longer(column: TextColumn) -> TextColumn:
        said = _LOST if column.heading == "verdict" else MISSING
        return column._replace(cells=(*column.cells, *[said] * count))

    groups = (tuple(tuple(map(longer, part)) for part in group) for group in table.groups)
    return table._replace(groups=tuple(groups))


def together(found: Places) -> str:
    """What all places sent, in a sentence."""
    total = found.totals
    speed = total.requests_per_second
    at = ""
    if speed is not None:
        first = _called(found.places[0], found.places[0].first)
        at = f". Together, their {first} arms sent {rate(speed)} requests per second"
    failed = f" ({total.failed:,} failed)" if total.failed else ""
    return (
        f"{plural(len(found.places), 'place')} sent {plural(total.requests, 'request')}{failed} "
        f"over {plural(total.connections, 'connection')}, with all arms{at}."
    )


def lost_lines(found: Places) -> Iterator[str]:
    """Why each lost place has no result; and each that has one, but nothing in it."""
    for gone in found.lost:
        yield printable(f"{gone.name} is lost. {gone.why}")
    for it in found.places:
        if not it.is_measured:
            yield printable(f"{it.name}: {it.silence}")
        elif it.run_info.interrupted:
            yield printable(f"The run in {it.name} was interrupted.")
        for process in it.run_info.lost if it.is_measured else ():
            yield printable(f"A process of the run in {it.name} is lost: {process.why}.")


def difference_lines(found: Places) -> Iterator[str]:
    """What differs, a line each."""
    return map(_difference, found.differences)


def _difference(it: Difference) -> str:
    said = [
        f"{value} {'only ' if len(names) == 1 else ''}in {some_of(names)}"
        for value, names in it.places.items()
    ]
    if len(said) > _MOST_VALUES:
        said = [*said[:_MOST_VALUES], f"{len(said) - _MOST_VALUES:,} more"]
    none = [f"none in {some_of(it.missing)}"] if it.missing else []
    return printable(f"{it.kind}: {'; '.join(chain(said, none))}")
