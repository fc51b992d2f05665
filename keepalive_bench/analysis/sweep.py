"""What the values of an option come to, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.plan.experiment import Swept
    from keepalive_bench.plan.load import Traffic
    from keepalive_bench.stats.intervals import Estimate


RecommendationCode = Literal[
    "not-measured",
    "too-few-requests",
    "not-reused",
    "keeps-all",
    "none-waits",
    "fast-enough",
    "none-suffices",
    "fastest",
    "described",
    "inconclusive",
]
RECOMMENDATIONS: tuple[RecommendationCode, ...] = get_args(RecommendationCode)
RECOMMENDED = ("maxsize", "concurrency")
"""The options of which a sweep recommends a value."""


class SweptValue(NamedTuple):
    """One value, and what is known of its arm beyond every arm's summary."""

    summary: ArmSummary
    value: int
    by_kab: int
    """Connections that went stale only because other values had their turn in between."""
    discarded: int
    """Connections that the pool threw away because it was full."""
    rounds: int
    """Those in which it sent anything."""
    full_rounds: int
    """Those of them in which the pool threw any away."""
    open_at_once: int
    """Connections that were open at once, at most."""
    waited: int
    """Requests that had to wait for a connection, in vain or not."""
    requests_per_second: Estimate

    @property
    def arm(self) -> str:
        """The label."""
        return self.summary.label


class Recommendation(NamedTuple):
    """Which value the traffic needs, as data and as a sentence."""

    code: RecommendationCode
    """[What it rests on](sweep.md#the-recommendation)."""
    value: int | None
    """The smallest value of the option that is shown to be enough for the traffic, or to make the
    most requests a second; `None`: none of those tried, it isn't known, or the sweep was over
    something else."""
    at_least: int | None
    """The smallest value that isn't shown to be too small: the one recommended, if that is known to
    be the smallest that is enough. `None`: none is recommended."""
    text: str
    """The sentence, for people: its wording may change."""


class Sweep(NamedTuple):
    """All values, the smallest first."""

    option: Swept
    """The option swept over."""
    traffic: Traffic
    """As in the plan."""
    values: tuple[SweptValue, ...]
    recommendation: Recommendation
