"""Something that a run has a name for: what it is measured in, and how a run is asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.stats.intervals import Ends

Kind = Literal["count", "bytes", "share", "ratio", "number", "rate", "seconds", "change", "word"]


class Evidence(NamedTuple):
    """What a run says of a quantity; times in seconds."""

    value: float | str | None
    low: float | None = None
    high: float | None = None
    lacking: str = ""
    """Why there is no value, or no interval; empty where it's for want of requests."""
    one_sided: bool = False
    """Whether either end decides by itself, and is as sure as the confidence says alone."""


def exact(value: float | str | None, lacking: str = "") -> Evidence:
    """What needs no interval."""
    return Evidence(value, lacking=lacking)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameable:
    """Something that a requirement can be about."""

    name: str
    """Its place in the results file, in full."""
    kind: Kind
    basis: Basis = "exact"
    words: tuple[str, ...] = ()
    """All that it can be, of a word."""
    is_signed: bool = False
    """Whether it may be below 0."""

    @property
    def spoken(self) -> str:
        """What a sentence calls it."""
        short = self.name.removeprefix("arms.").removeprefix("comparisons[0].")
        return short.replace("latency_s.", "").removesuffix(".code")


def nothing(_: Experiment) -> str:
    """What most quantities lack, whatever the experiment."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity(Nameable):
    """Something about a run."""

    find: Callable[[Analysis], Evidence]
    lacks: Callable[[Experiment], str] = nothing
    """Why no run of an experiment has a value of it, or an interval; empty: one can have it."""
    ends: Callable[[Mapping[str, ArmView]], Ends] | None = None
    """Of an arm's quantile, where it lies at least, and at most; each by itself."""

    @property
    def percent(self) -> int:
        """Which quantile it is."""
        return int(self.basis[1:])


Named = tuple[tuple[str, ...], Quantity]
"""Something, and all its spellings."""
