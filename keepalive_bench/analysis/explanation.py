"""Where a saving comes from: the phases it consists of, and how many round trips they are."""

from __future__ import annotations

from collections import Counter
from itertools import compress, filterfalse
from math import fsum, isnan
from typing import TYPE_CHECKING

from keepalive_bench.analysis.analysis import REMAINDER, Explanation, RoundTrips
from keepalive_bench.results.exchange import QUEUED
from keepalive_bench.results.masks import of_arm

if TYPE_CHECKING:
    from array import array

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.analysis.pairs import Half, Pairs
    from keepalive_bench.results.run import Run

NAMED = ("dns", "connect", "tunnel", "tls", "wait")
"""The phases that reuse can save; what else differs is the remainder, but for late starts."""
_NEARLY_ALL, _SELDOM = 0.9, 0.1
_FULL_HANDSHAKE = {"TLSv1.3": 1, "TLSv1.2": 2}
"""Round trips: RFC 8446, section 2; RFC 5246, section 7.3."""


def explain(run: Run, arms: tuple[ArmSummary, ArmSummary], pairs: Pairs) -> Explanation | None:
    """What the other arm's requests of the pairs took longer in each phase, on average.

    The parts add up to the mean saving of the pairs.
    """
    own, other = _phases(run, pairs.own), _phases(run, pairs.other)
    if own is None or other is None:
        return None
    slow = max(arms, key=lambda arm: arm.connections)
    handshake = _handshake(run, slow)
    round_trip = min((_round_trip(run, arm) for arm in arms), key=_or_infinite)
    return Explanation(
        parts={name: other[name] - own[name] for name in own},
        tls=None if handshake is None else handshake[0],
        round_trip=round_trip,
        round_trips=_round_trips(slow, handshake, round_trip),
        saved_trips=_saved_trips(run, *arms),
        receive=_spent(run, pairs.other, "receive") - _spent(run, pairs.own, "receive"),
    )


def _or_infinite(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds


def _phases(run: Run, half: Half) -> dict[str, float] | None:
    """Seconds per request that went into each named phase, and what remains of the latency."""
    exchanges, rows = run.exchanges, half.rows
    if not rows:
        return None
    spent = {QUEUED: 0.0}
    if exchanges.queued_s is not None:
        spent[QUEUED] = _average(exchanges.queued_s, half)
    spent |= {name: _spent(run, half, name) for name in NAMED}
    latency = fsum(map(exchanges.latency_s.__getitem__, rows)) / len(rows)
    return {**spent, REMAINDER: latency - fsum(spent.values())}


def _spent(run: Run, half: Half, phase: str) -> float:
    return _average(run.exchanges.phases[phase], half)


def _average(column: array[float], half: Half) -> float:
    """Seconds per request; what didn't happen took none."""
    rows = half.rows
    return fsum(filterfalse(isnan, map(column.__getitem__, rows))) / len(rows)


def _handshake(run: Run, arm: ArmSummary) -> tuple[str, bool] | None:
    """The version of TLS that nearly all handshakes settled on; whether they resumed sessions."""
    connections = run.connections
    numbers = Counter(compress(connections.cipher, of_arm(connections, arm.label)))
    kinds: Counter[tuple[str, bool]] = Counter()
    for number, count in numbers.items():
        if number >= 0:
            version, _, resumed = connections.handshakes.values[number]
            kinds[version, resumed] += count
    for kind, count in kinds.most_common(1):
        return kind if count >= _NEARLY_ALL * arm.connections else None
    return None


def _round_trip(run: Run, arm: ArmSummary) -> float | None:
    connections = run.connections
    measured = compress(connections.min_rtt_s, of_arm(connections, arm.label))
    return min((value for value in measured if value > 0), default=None)


def _round_trips(
    arm: ArmSummary, handshake: tuple[str, bool] | None, round_trip: float | None
) -> dict[str, RoundTrips]:
    """How many round trips each step of opening a connection took, and how many it has to take."""
    if round_trip is None:
        return {}
    needed = _needed(handshake)
    typical = {name: arm.phases[name].p50 or arm.phases[name].mean for name in needed}
    return {
        name: RoundTrips(seconds / round_trip, needed[name])
        for name, seconds in typical.items()
        if seconds is not None
    }


def _needed(handshake: tuple[str, bool] | None) -> dict[str, int | None]:
    """How many round trips each step of opening a connection has to take; `None`: unknown."""
    version, resumed = handshake or ("", False)
    return {"connect": 1, "tunnel": 1, "tls": 1 if resumed else _FULL_HANDSHAKE.get(version)}


def _saved_trips(run: Run, own: ArmSummary, other: ArmSummary) -> dict[str, int]:
    """How many more a request of the other arm takes: that much of a saving is the network's.

    Where both arms shake hands each time, nothing, or little, is. What a new pool for each request
    takes longer is loading certificates.
    """
    saved = {}
    ours, theirs = (_needed(_handshake(run, arm)) for arm in (own, other))
    opened = [(arm.connections - arm.unused) / max(1, arm.sent) for arm in (own, other)]
    for name, needed in theirs.items():
        by_us = ours[name]
        if by_us is None and opened[0] < _SELDOM:  # whatever they take, it is hardly ever
            by_us = 0
        if needed is not None and by_us is not None:
            saved[name] = round(needed * opened[1] - by_us * opened[0])
    if own.traits.makes_pools or other.traits.makes_pools:
        saved.pop("tls", None)
    return saved
