"""What all places have together: every number, and what anybody needs to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.places.place import LostPlace, Place
    from keepalive_bench.plan.plan import Plan


class Totals(NamedTuple):
    """What is counted over all places."""

    measured: int
    lost: int
    requests: int
    failed: int
    connections: int
    requests_per_second: float | None
    """The first arm's, of all places; `None`: they didn't send it all at the same time."""


def totals(places: Sequence[Place], lost: Sequence[LostPlace]) -> Totals:
    """Add up what can be added up; latencies can't."""
    arms = [arm for it in places for arm in it.arms]
    return Totals(
        measured=sum(it.is_measured for it in places),
        lost=len(lost),
        requests=sum(it.sent for it in arms),
        failed=sum(it.failed for it in arms),
        connections=sum(it.connections for it in arms),
        requests_per_second=_rate_of_all(places),
    )


def _rate_of_all(places: Sequence[Place]) -> float | None:
    """What all first arms sent per second, where there was a time when all of them did.

    Arms that take turns have no rate that can be added: each sends while the others don't.
    """
    rates = [it.first.requests_per_second for it in places]
    known = [it for it in rates if it is not None]
    is_one_arm = len({_first_arm(it.plan) for it in places}) == 1
    is_steady = all(it.plan.experiment.load.rate is not None or len(it.arms) == 1 for it in places)
    if not known or len(known) < len(rates) or not is_one_arm or not is_steady:
        return None
    ends_s = (it.began_s + it.run_info.wall_s for it in places)
    return sum(known) if max(it.began_s for it in places) < min(ends_s) else None


def _first_arm(plan: Plan) -> tuple[object, ...]:
    first = plan.experiment.arms[0]
    return first.label, first.kind, first.value, plan.experiment.sweep


TOTAL_METRICS: tuple[Metric[Totals], ...] = (
    Metric(
        path="total.measured",
        unit="count",
        meaning="Places where something was measured",
        read=lambda it: it.measured,
        better="higher",
    ),
    Metric(
        path="total.lost",
        unit="count",
        meaning="Places without a result",
        read=lambda it: it.lost,
        better="lower",
    ),
    Metric(
        path="total.requests",
        unit="count",
        meaning="Requests that were sent, by all arms",
        read=lambda it: it.requests,
        better="higher",
    ),
    Metric(
        path="total.failed",
        unit="count",
        meaning="Those of them that failed",
        read=lambda it: it.failed,
        better="lower",
    ),
    Metric(
        path="total.connections",
        unit="count",
        meaning="TCP connections that were really opened, by all arms",
        read=lambda it: it.connections,
        better="lower",
    ),
    Metric(
        path="total.requests_per_second",
        unit="rate",
        meaning="Requests per second of the first arm, added up over places",
        read=lambda it: it.requests_per_second,
        better="higher",
        lacking="places didn't all send alike at the same time, or arms took turns",
    ),
)
