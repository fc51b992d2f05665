"""Where a saving comes from: its phases, how many round trips they are, and both in words."""

from __future__ import annotations

from itertools import compress, filterfalse
from math import fsum, isnan
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.arm_summary import REMAINDER
from keepalive_bench.results.exchange import QUEUED
from keepalive_bench.units import duration, enumerated

if TYPE_CHECKING:
    from array import array

    from keepalive_bench.analysis.arm_summary import ArmSummary, Handshake
    from keepalive_bench.analysis.pairs import Pairs, Times
    from keepalive_bench.results.columns import ExchangeColumns

NAMED = ("dns", "connect", "tunnel", "tls", "wait")
"""The phases that reuse can save; what else differs is the remainder, but for late starts."""
STEPS = ("connect", "tunnel", "tls")
"""Of opening a connection: round trips of these are counted."""
_SELDOM = 0.05
_FULL_HANDSHAKE = {"TLSv1.3": 1, "TLSv1.2": 2}
"""Round trips: RFC 8446, section 2; RFC 5246, section 7.3."""


class RoundTrips(NamedTuple):
    """How many round trips a step of opening a connection took."""

    measured: float
    """Its typical time ÷ the network's shortest round trip, as the system measured it."""
    needed: int | None
    """How many the protocol needs; `None`: unknown."""


class Explanation(NamedTuple):
    """Where a mean saving comes from. In seconds a request; the parts add up to the saving."""

    parts_s: dict[str, float]
    """By phase, with what remains."""
    tls: str | None
    """The version that the handshakes settled on."""
    round_trip_s: float | None
    """The network's shortest round trip; `None` where the system doesn't tell."""
    round_trips: dict[str, RoundTrips]
    """By phase."""
    saved_trips: dict[str, int]
    """By phase, how many round trips a request saves by the protocol; 0, or missing: none known."""
    reused_parts_s: dict[str, float]
    """As `parts_s`, of the requests that reused a connection: round trips are those of one."""
    is_partial: bool
    """Whether connections had to be opened again for more than a twentieth of the requests."""
    loads_certificates: bool = False
    """Whether an arm's TLS phase is also of loading the trusted certificates, each time."""
    receive: float = 0.0
    """How much of what remains is the rest of the answer, from its first byte on."""

    @property
    def per_1000_requests_s(self) -> float:
        """The saving of a thousand requests."""
        return 1000 * sum(self.parts_s.values())


def explain(
    exchanges: ExchangeColumns, arms: tuple[ArmSummary, ArmSummary], pairs: Pairs
) -> Explanation | None:
    """What the other arm's requests of the pairs took longer in each phase, on average.

    The parts add up to the mean saving of the pairs.
    """
    if not pairs.number:
        return None
    halves = (pairs.own, pairs.other)
    slow = max(arms, key=lambda arm: arm.connections)
    round_trip = min((arm.min_rtt_s for arm in arms if arm.min_rtt_s is not None), default=None)
    receive = exchanges.phases["receive"]
    return Explanation(
        parts_s=_differences(exchanges, *(it.all for it in halves)),
        tls=None if slow.handshake is None else slow.handshake.version,
        round_trip_s=round_trip,
        round_trips=_round_trips(slow, round_trip),
        saved_trips=_saved_trips(*arms),
        reused_parts_s=_differences(exchanges, *(it.reusing for it in halves)),
        is_partial=any(arm.traits.reuses and arm.reopened > _SELDOM * arm.sent for arm in arms),
        loads_certificates=any(arm.traits.makes_pools for arm in arms),
        receive=_average(receive, pairs.other.all) - _average(receive, pairs.own.all),
    )


def _differences(exchanges: ExchangeColumns, own: Times, other: Times) -> dict[str, float]:
    """Seconds a request that the other took longer, by part; of no requests, nothing."""
    if not (own.mask.count(1) and other.mask.count(1)):
        return {}
    ours, theirs = _phases(exchanges, own), _phases(exchanges, other)
    return {name: theirs[name] - ours[name] for name in ours}


def _phases(exchanges: ExchangeColumns, half: Times) -> dict[str, float]:
    """Seconds per request that went into each named phase, and what remains of the latency."""
    spent = {QUEUED: 0.0}
    if exchanges.queued_s is not None:
        spent[QUEUED] = _average(exchanges.queued_s, half)
    spent |= {name: _average(exchanges.phases[name], half) for name in NAMED}
    latency = _average(exchanges.latency_s, half)
    return {**spent, REMAINDER: latency - fsum(spent.values())}


def _average(column: array[float], half: Times) -> float:
    """Seconds per request; what didn't happen took none."""
    return fsum(filterfalse(isnan, compress(column, half.mask))) / half.mask.count(1)


def _round_trips(arm: ArmSummary, round_trip: float | None) -> dict[str, RoundTrips]:
    if round_trip is None:
        return {}
    needed = _needed(arm.handshake)
    typical = {name: arm.phases[name].p50 or arm.phases[name].mean for name in needed}
    return {
        name: RoundTrips(seconds / round_trip, needed[name])
        for name, seconds in typical.items()
        if seconds is not None
    }


def _needed(handshake: Handshake | None) -> dict[str, int | None]:
    """How many round trips each step of opening a connection has to take; `None`: unknown."""
    version, resumed = handshake or ("", False)
    return {"connect": 1, "tunnel": 1, "tls": 1 if resumed else _FULL_HANDSHAKE.get(version)}


def _saved_trips(own: ArmSummary, other: ArmSummary) -> dict[str, int]:
    """How many more a request of the other arm takes: that much of a saving is the network's.

    It is about requests that reuse a connection, where the arm keeps any. Where both arms shake
    hands each time, nothing, or little, is saved. What a new pool for each request takes longer is
    loading certificates.
    """
    saved = {}
    ours, theirs = (_needed(arm.handshake) for arm in (own, other))
    opened = [
        0.0 if arm.traits.reuses else (arm.connections - arm.unused) / max(1, arm.sent)
        for arm in (own, other)
    ]
    for name in theirs:
        # A step that is never taken needs nothing, whatever it is.
        needed = [
            0 if not share else each[name]
            for share, each in zip(opened, (ours, theirs), strict=True)
        ]
        by_us, by_them = needed
        if by_us is not None and by_them is not None:
            saved[name] = round(by_them * opened[1] - by_us * opened[0])
    if own.traits.makes_pools or other.traits.makes_pools:
        saved.pop("tls", None)
    return saved


_WORTH_NAMING = 0.1
"""A part below a tenth of the whole is small change."""
_WORTH_ADDING = 0.02
"""All small ones together: without them, the parts don't seem to add up."""
_FROM, _TO = 0.75, 1.35
"""A part is so many round trips where it is about as long as they are."""
_IN_WORDS = {1: "one round trip", 2: "two round trips"}
_RECEIVE, _BUT_THAT, _SMALL = "receive", "remainder but for receive", "small ones"
_NAMES = {
    QUEUED: "starting late",
    "dns": "looking up the name",
    "connect": "TCP",
    "tunnel": "the proxy's tunnel",
    "tls": "TLS",
    "wait": "waiting for the first byte",
    _RECEIVE: "receiving the rest of the answer",
    _BUT_THAT: "sending and client overhead",
    REMAINDER: "the rest",
    _SMALL: "smaller parts",
}


def in_words(explanation: Explanation, amount: float, sign: int) -> str:
    """The parts worth naming: what adds to the amount, with its round trips, and what takes off.

    The sign is −1 where it is no saving, but a cost.
    """
    receive, parts = explanation.receive, dict(explanation.parts_s)
    if abs(receive) >= _WORTH_NAMING * amount:  # by itself, as a delayed acknowledgement is
        parts |= {_RECEIVE: receive, _BUT_THAT: parts.pop(REMAINDER) - receive}
    large = {
        name: sign * part for name, part in parts.items() if abs(part) >= _WORTH_NAMING * amount
    }
    small = amount - fsum(large.values())
    if abs(small) >= _WORTH_ADDING * amount:
        large |= {_SMALL: small}
    adding = {name: part for name, part in large.items() if part > 0}
    trips = [_trips(name, explanation, sign) for name in adding]
    named = [f"{duration(part)} of {_name(name, explanation)}" for name, part in adding.items()]
    taking = [
        f"{duration(-part)} of {_name(name, explanation)}"
        for name, part in large.items()
        if part < 0
    ]
    which = " per reuse" if explanation.is_partial else ""
    if len(set(trips)) == 1 and trips[0]:
        each = " each" if len(trips) > 1 else ""
        said = f"{enumerated(named)}, {trips[0]}{each}{which}"
    else:
        pairs = zip(named, trips, strict=True)
        counted = [f"{words}, {trip}{which}" if trip else words for words, trip in pairs]
        said = "; ".join(counted) if any(trips) else enumerated(counted)
    less = f", less {enumerated(taking)}" if taking else ""
    return f" ({said}{less})"


def _trips(name: str, explanation: Explanation, sign: int) -> str:
    """How many round trips a reuse saves, where it is about as many as the protocol says."""
    saved = sign * explanation.saved_trips.get(name, 0)
    if saved <= 0 or explanation.round_trip_s is None:
        return ""
    part = sign * explanation.reused_parts_s.get(name, 0.0)
    is_near = _FROM <= part / explanation.round_trip_s / saved <= _TO
    return _IN_WORDS.get(saved, "") if is_near else ""


def _name(name: str, explanation: Explanation) -> str:
    if name == "tls" and explanation.tls is not None:
        name = explanation.tls.replace("TLSv", "TLS ")
        return f"{name} and loading certificates" if explanation.loads_certificates else name
    return _NAMES[name]
