"""What a difference comes to for a request, and where it comes from: in words."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

from keepalive_bench.analysis.analysis import REMAINDER
from keepalive_bench.results.exchange import QUEUED
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.analysis import Comparison, Explanation

_WORTH_NAMING = 0.1
"""A part below a tenth of the whole is small change."""
_FROM, _TO = 0.75, 1.35
"""A part is so many round trips where it is about as long as they are."""
_ROUND_TRIPS = {1: "one round trip", 2: "two round trips"}
_THOUSAND = 1000
_RECEIVE, _BUT_THAT, _SMALL = "receive", "remainder but for receive", "small ones"
_NAMES = {
    QUEUED: "starting late",
    "dns": "looking up the name",
    "connect": "TCP",
    "tunnel": "the proxy's tunnel",
    "tls": "TLS",
    "wait": "waiting for the first byte",
    _RECEIVE: "receiving the rest of the answer",
    _BUT_THAT: "sending, and the client's own work",
    REMAINDER: "the rest (sending, receiving, the client's own work)",
    _SMALL: "smaller parts",
}


def gain(comparison: Comparison) -> str:
    """What the first-named arm saves on average, and on what."""
    return _told(comparison, "saves", 1)


def loss(comparison: Comparison) -> str:
    """What the first-named arm costs on average, and why."""
    return _told(comparison, "costs", -1)


def _told(comparison: Comparison, verb: str, sign: int) -> str:
    saving, low, high = comparison.saving["mean"]
    amount = sign * (saving or 0.0)
    if amount <= 0 or comparison.explanation is None:
        return " for a typical request, though not on average"
    sum_up = f", {duration(_THOUSAND * amount)} in 1,000"
    if low is not None and high is not None and low <= 0 <= high:
        sum_up = " (though the interval of that includes 0)"
    told = _apart(comparison.explanation, amount)
    parts = {name: sign * part for name, part in told.items()}
    named = _parts(parts, amount, comparison.explanation, sign)
    return f": it {verb} {duration(amount)} a request on average{sum_up}{named}"


def _apart(explanation: Explanation, amount: float) -> dict[str, float]:
    """The parts; where receiving is worth naming, as a delayed acknowledgement is, by itself."""
    receive, parts = explanation.receive, dict(explanation.parts)
    if abs(receive) >= _WORTH_NAMING * amount:
        parts |= {_RECEIVE: receive, _BUT_THAT: parts.pop(REMAINDER) - receive}
    return parts


def _parts(parts: dict[str, float], amount: float, explanation: Explanation, sign: int) -> str:
    """The parts worth naming: what adds to the amount, with its round trips, and what takes off."""
    large = {name: part for name, part in parts.items() if abs(part) >= _WORTH_NAMING * amount}
    small = amount - fsum(large.values())
    if abs(small) >= _WORTH_NAMING * amount:
        large |= {_SMALL: small}
    adding = {name: part for name, part in large.items() if part > 0}
    trips = [_round_trips(name, part, explanation, sign) for name, part in adding.items()]
    named = [f"{duration(part)} of {_name(name, explanation)}" for name, part in adding.items()]
    taking = [
        f"{duration(-part)} of {_name(name, explanation)}"
        for name, part in large.items()
        if part < 0
    ]
    if len(set(trips)) == 1 and trips[0]:
        each = f", {trips[0]} each" if len(trips) > 1 else f", {trips[0]}"
    else:
        pairs = zip(named, trips, strict=True)
        named = [f"{words} ({trip})" if trip else words for words, trip in pairs]
        each = ""
    less = f", less {_enumerated(taking)}" if taking else ""
    return f": {_enumerated(named)}{each}{less}"


def _round_trips(name: str, part: float, explanation: Explanation, sign: int) -> str:
    """How many round trips a part is, where it is about as many as the protocol says."""
    saved = sign * explanation.saved_trips.get(name, 0)
    if saved <= 0 or explanation.round_trip is None:
        return ""
    is_near = _FROM <= part / explanation.round_trip / saved <= _TO
    return _ROUND_TRIPS.get(saved, "") if is_near else ""


def _name(name: str, explanation: Explanation) -> str:
    if name == "tls" and explanation.tls is not None:
        return explanation.tls.replace("TLSv", "TLS ")
    return _NAMES[name]


def _enumerated(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
