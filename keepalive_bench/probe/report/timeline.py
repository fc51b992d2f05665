"""The time line of a probe: what happened to connections after which idle time, in fractions.

Each dialect draws it with what it has: a terminal with characters, the page with SVG.
"""

from __future__ import annotations

from math import ceil, floor, log, log10
from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.probe.report.words import windows
from keepalive_bench.units import between, duration, told_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.probe.probed import Probed
    from keepalive_bench.probe.record import Seen

Sign = Literal["answered", "died", "closed", "open"]
BandKind = Literal["drop", "window"]
SIGNS: dict[Sign, str] = {
    "answered": "a reuse was answered",
    "died": "a reuse died",
    "closed": "closed by the server's side",
    "open": "no end seen",
}
"""What each mark means."""
BANDS: dict[BandKind, str] = {"drop": "lost on the path", "window": "race window"}
_GROUPS = {
    "watched": "only watched after a response",
    "reused": "asked once more after some idle time",
    "narrowed": "the same between two such times",
}
"""What connections are drawn as one, and what they went through."""
_EARLY = 0.15
"""Where what ends connections lies in such a first part of the axis, that is logarithmic."""
_BESIDE = 0.02
"""How much of the axis is left free on the right."""
_LOWEST_S, _BELOW = 0.01, 0.7
_STEPS, _MOST_STEPS = (1, 2, 5, 10), 8
_WANTED, _APART = (1, 5, 2), 0.1


class Mark(NamedTuple):
    """Something that happened to a connection, as far to the right as it had been idle."""

    at: float
    sign: Sign
    idle_s: float


class Lane(NamedTuple):
    """Connections alike: a bar as long as the last of them was idle, with marks on it."""

    label: str
    until: float
    marks: tuple[Mark, ...]
    note: str
    """What it shows, in words."""

    @property
    def drawn(self) -> tuple[Mark, ...]:
        """Its marks, but an arrow only at its end: where a probe is stopped, some come before."""
        return tuple(it for it in self.marks if it.sign != "open" or it.at == self.until)


class Band(NamedTuple):
    """Idle times between which something is the case, in all lanes."""

    kind: BandKind
    begins: float
    ends: float
    text: str


class Timeline(NamedTuple):
    """Lanes over one axis of idle time; places on it are fractions from the left."""

    lanes: tuple[Lane, ...]
    bands: tuple[Band, ...]
    ticks: tuple[tuple[float, str], ...]
    """Where, and what stands there."""
    logarithmic: bool

    @property
    def signs(self) -> tuple[Sign, ...]:
        """Those that stand in it, in their order."""
        there = {mark.sign for lane in self.lanes for mark in lane.drawn}
        return tuple(it for it in SIGNS if it in there)


class _Axis(NamedTuple):
    low_s: float
    """0: it is linear."""
    high_s: float

    def at(self, idle_s: float) -> float:
        if not self.low_s:
            return min(1.0, idle_s / self.high_s)
        part = log(max(idle_s, self.low_s) / self.low_s) / log(self.high_s / self.low_s)
        return min(1.0, part)

    def ticks(self) -> Iterator[tuple[float, str]]:
        chosen = self._powers() if self.low_s else self._equal_steps()
        return ((self.at(it), f"{it:.12g}") for it in sorted(chosen))

    def _equal_steps(self) -> Iterator[float]:
        power = floor(log10(self.high_s / _MOST_STEPS))
        steps = (float(f"{digit}e{power}") for digit in _STEPS)
        step = next(it for it in steps if it * _MOST_STEPS >= self.high_s)
        return (number * step for number in range(floor(self.high_s / step) + 1))

    def _powers(self) -> list[float]:
        """The most wanted first, as long as they are far enough from each other."""
        powers = range(floor(log10(self.low_s)), ceil(log10(self.high_s)) + 1)
        chosen: list[float] = []
        for it in (float(f"{digit}e{power}") for digit in _WANTED for power in powers):
            is_free = all(abs(self.at(it) - self.at(other)) >= _APART for other in chosen)
            if self.low_s <= it <= self.high_s and is_free:
                chosen.append(it)
        return chosen


class _Happened(NamedTuple):
    sign: Sign
    idle_s: float


def timeline(probed: Probed) -> Timeline | None:
    """The picture; `None`: no connection was ever idle, so there is nothing to see."""
    if probed.persistence != "kept":
        return None
    groups = [*_groups(probed)]
    longest_s = max((idle_s for it in groups for idle_s in it.reached), default=0.0)
    if not longest_s:
        return None
    axis = _axis(probed, groups, longest_s)
    lanes = (_lane(it, axis) for it in groups)
    return Timeline(tuple(lanes), tuple(_bands(probed, axis)), tuple(axis.ticks()), axis.low_s > 0)


class _Group(NamedTuple):
    """Connections that are drawn as one."""

    name: str
    seen: tuple[Seen, ...]
    happened: tuple[_Happened, ...]
    reached: tuple[float, ...]
    """How long each was idle at most."""


def _groups(probed: Probed) -> Iterator[_Group]:
    now_s, most_s = probed.record.info.wall_s, probed.idle_timeout.looked_s
    told = [it for it in probed.record.connections if it.answered]
    watched = [it for it in told if it.part == "watched"]
    found = probed.idle_timeout.closings
    for closings in found if probed.idle_timeout.backends_differ else ():
        part = [it for it in watched if it.ended and it.ended.idle_s <= closings.most_s]
        if part:
            yield _group("watched", part, now_s, most_s)
        watched = [it for it in watched if it not in part]
    if watched:
        yield _group("watched", watched, now_s, most_s)
    for name in _GROUPS:
        part = [it for it in told if it.part == name]
        if part and name != "watched":
            yield _group(name, part, now_s, most_s)


def _group(name: str, seen: Sequence[Seen], now_s: float, most_s: float) -> _Group:
    happened = tuple(what for it in seen for what in _happened(it, now_s, most_s))
    return _Group(name, tuple(seen), happened, tuple(it.idle_s for it in happened))


def _happened(it: Seen, now_s: float, most_s: float) -> Iterator[_Happened]:
    """`most_s`: it was watched for a little longer than that, and nothing is said of that."""
    for each in it.exchanges[1:]:
        if each.idle_s is not None:
            yield _Happened("answered" if each.failure is None else "died", each.idle_s)
    if it.ended is not None:
        yield _Happened("closed", it.ended.idle_s)
    elif it.part == "watched" and it.exchanges[-1].failure is None:
        yield _Happened("open", min(it.idle_until(now_s), most_s))


def _axis(probed: Probed, groups: Iterable[_Group], longest_s: float) -> _Axis:
    """Linear, unless what decides would be lost at the left end."""
    high_s = longest_s * (1 + _BESIDE)
    timeout, drop = probed.idle_timeout, probed.silent_drop
    decisive = [it for it in (timeout.least_s, drop.died_s) if it is not None]
    if not decisive or min(decisive) > _EARLY * longest_s:
        return _Axis(0.0, high_s)
    times = (idle_s for it in groups for idle_s in it.reached if idle_s > 0)
    low_s = max(_LOWEST_S, _BELOW * min((*times, *filter(None, decisive))))
    return _Axis(low_s, max(longest_s * (longest_s / low_s) ** _BESIDE, 2 * low_s))


def _lane(it: _Group, axis: _Axis) -> Lane:
    marks = (Mark(axis.at(each.idle_s), each.sign, each.idle_s) for each in it.happened)
    ordered = tuple(sorted(marks, key=lambda mark: mark.idle_s))
    return Lane(
        f"{it.name} × {len(it.seen)}",
        max((mark.at for mark in ordered), default=0.0),
        ordered,
        _in_words(ordered),
    )


def _in_words(marks: Sequence[Mark]) -> str:
    """`7 answered up to 65.0 s, 1 closed after 75.0 s`."""
    said = []
    for sign in SIGNS:
        times = [it.idle_s for it in marks if it.sign == sign]
        if not times:
            continue
        if sign == "answered":
            said.append(f"{len(times):,} answered, up to {duration(max(times))}")
        elif sign == "open":
            said.append(f"{len(times):,} without an end up to {duration(max(times))}")
        else:
            said.append(f"{len(times):,} {sign} after {between(min(times), max(times))}")
    return ", ".join(said) or "no reuse"


def _bands(probed: Probed, axis: _Axis) -> Iterator[Band]:
    drop = probed.silent_drop
    if drop.died_s is not None:
        ends = between(drop.answered_s, drop.died_s)
        yield Band("drop", axis.at(drop.answered_s), axis.at(drop.died_s), ends)
    for begins_s, ends_s in windows(probed):
        ends = told_apart(begins_s, ends_s)
        yield Band("window", axis.at(begins_s), axis.at(ends_s), ends)


def told(it: Timeline) -> str:
    """The whole picture in words."""
    lanes = (f"{lane.label}: {lane.note}" for lane in it.lanes)
    bands = (f"{BANDS[band.kind]}: {band.text}" for band in it.bands)
    return f"{'; '.join((*lanes, *bands))}."


def explained(it: Timeline) -> str:
    """What the lanes are."""
    there = {lane.label.split()[0] for lane in it.lanes}
    said = (f"{name}: {what}" for name, what in _GROUPS.items() if name in there)
    return f"{'; '.join(said)}.".capitalize()


def scale_words(it: Timeline) -> str:
    """What the axis is of."""
    return f"idle time in seconds{', logarithmic' if it.logarithmic else ''}"
