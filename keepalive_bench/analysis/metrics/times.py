"""What the requests of an arm took: latencies, late starts and phases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.analysis.arm_summary import REMAINDER
from keepalive_bench.analysis.arm_view import BOUNDED, QUANTILES, Latency
from keepalive_bench.analysis.metrics import Metric, Series, up_to_all
from keepalive_bench.results.exchange import PHASES, QUEUED
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.metrics import Value
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.plan.experiment import Experiment

_FIGURES = (*BOUNDED, "max")
"""What tables have of latencies."""
_DETAILS = {"p90", "max"}
_PHASE_NAMES = (*PHASES, QUEUED, REMAINDER)
PHASE_TITLES = {
    **{name: name.replace("_", " ") for name in _PHASE_NAMES},
    REMAINDER: "client overhead",
}
"""What tables call them."""


def _start_lacks(experiment: Experiment) -> str:
    return "" if experiment.load.is_open else "only requests of a --rate have a time to start at"


def _latency(
    name: str, basis: Basis, meaning: str, unknown: str, series: Series | None = None
) -> Metric[ArmSummary]:
    def read(arm: ArmSummary) -> Value:
        value: float | None = getattr(arm.latency, name)
        if name not in BOUNDED:
            return value
        return Estimate(value, *arm.latency_bounds.get(name, (None, None)))

    return Metric(
        path=f"latency_s.{name}",
        unit="seconds",
        read=read,
        meaning=meaning,
        title=f"latency {name}" if name in _FIGURES else "",
        is_detail=name in _DETAILS,
        heading=name,
        better="lower",
        basis=basis,
        bounds="beside" if name in BOUNDED else None,
        unknown=unknown,
        series=series,
    )


def _phases(arm: ArmSummary, *, name: str) -> Value:
    return {phase: getattr(time, name) for phase, time in arm.phases.items()}


TIME_METRICS: tuple[Metric[ArmSummary], ...] = (
    _latency(
        "mean",
        "mean",
        "Latency of those that succeeded: from asking for a connection to the last body byte",
        "none succeeded",
    ),
    _latency("stdev", "nothing", "Sample standard deviation (*n* − 1)", "fewer than 2 succeeded"),
    _latency(
        "min",
        "exact",
        "The shortest that was measured",
        "none succeeded",
        Series("kab_latency_min_seconds", "The shortest."),
    ),
    *(
        _latency(
            name,
            name,
            "Quantiles, by linear interpolation (Hyndman and Fan's definition 8)",
            "fewer than one value is expected beyond it, *n* × (1 − *q*) < 1",
        )
        for name in QUANTILES
    ),
    _latency(
        "max",
        "exact",
        "The longest that was measured",
        "none succeeded",
        Series("kab_latency_max_seconds", "The longest."),
    ),
    *(
        Metric(
            path=f"uncorrected_latency_s.{name}",
            unit="seconds",
            meaning="With `--rate`: the same from when each was really started, which hides a "
            "stall ([why](methodology.md#open-load))",
            title=f"uncorrected {name}" if name in _FIGURES else "",
            is_detail=name in _DETAILS,
            shown="with `--rate`",
            better="lower",
            basis="nothing",
            unknown="as above; or no `plan.rate`",
            lacks=_start_lacks,
        )
        for name in Latency._fields
    ),
    Metric(
        path="late_starts.count",
        unit="count",
        needs="",
        meaning="With `--rate`: how many started 1 ms or more after they were to",
        spans=up_to_all,
        title="late starts",
        shown="with `--rate`",
        better="lower",
        unknown="no `plan.rate`",
        lacking="no request of {arm} was late",
        lacks=_start_lacks,
    ),
    *(
        Metric(
            path=f"late_starts.{name}",
            unit="seconds",
            needs="",
            meaning="How late these were",
            title=f"  {title}",
            shown="where there are any",
            better="lower",
            unknown="none was",
            lacking="no request of {arm} was late",
            lacks=_start_lacks,
        )
        for name, title in (("mean_s", "mean"), ("max_s", "at most"))
    ),
    Metric(
        path="phases_s.<phase>.per_request",
        unit="seconds",
        read=partial(_phases, name="per_request"),
        meaning="Total time of the [phase](methodology.md#times) ÷ `succeeded`",
        better="lower",
        basis="nothing",
        keys=_PHASE_NAMES,
    ),
    Metric(
        path="phases_s.<phase>.count",
        unit="count",
        read=partial(_phases, name="count"),
        meaning="How many exchanges the phase happened to",
        spans=up_to_all,
        keys=_PHASE_NAMES,
    ),
    *(
        Metric(
            path=f"phases_s.<phase>.when_happened.{name}",
            unit="seconds",
            read=partial(_phases, name=name),
            meaning="How long the phase took in those",
            better="lower",
            basis="nothing",
            keys=_PHASE_NAMES,
            unknown="it didn't happen, or too few for the quantile",
        )
        for name in ("mean", "p50", "p95")
    ),
)
