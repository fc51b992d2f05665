"""What a run has as a whole, and each value of a sweep."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.analysis.metrics import NO_SWEEP, Metric, Series
from keepalive_bench.analysis.sweep import RECOMMENDATIONS, RECOMMENDED
from keepalive_bench.analysis.verdict import VERDICTS

if TYPE_CHECKING:
    from keepalive_bench.analysis.metrics import Unit, Value
    from keepalive_bench.analysis.sweep import SweptValue
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.typed_json import Document


TOTALS = ("failed", "interrupted", "not_sent")
"""What by itself is about all arms together."""
_TOO_SHORT = "the run was too short, or the system doesn't tell"

SWEEP_METRICS: tuple[Metric[SweptValue], ...] = (
    Metric(
        path="arm",
        unit="text",
        meaning="The label of the arm that has the value: everything else about it is under "
        "`arms`. The smallest value comes first",
    ),
    Metric(
        path="value",
        unit="count",
        meaning="The value; a size in bytes",
        is_nameless=True,
    ),
    Metric(
        path="discarded",
        unit="count",
        meaning="Connections that the pool threw away because it was full",
        heading="discarded",
        better="lower",
        series=Series(
            "kab_connections_discarded_total", "Connections that a full pool threw away."
        ),
    ),
    Metric(
        path="open_at_once",
        unit="count",
        meaning="Connections that were open at once, at most",
        heading="open at once",
        series=Series(
            "kab_connections_open_at_once", "Connections that were open at once, at most."
        ),
    ),
    Metric(
        path="waited",
        unit="count",
        meaning="Requests that waited for a connection, in vain or not",
        heading="waited",
        better="lower",
    ),
    Metric(
        path="requests_per_second",
        unit="rate",
        meaning="The rate while the arm ran, and its interval",
        heading="requests/s",
        better="higher",
        basis="pairs",
        bounds="members",
        unknown="fewer than 8 rounds, or unknown",
    ),
)


def _total(document: Document, *, name: str) -> Value:
    total: int = sum(arm[name] for arm in document["arms"].values())
    return total


def _recommended(option: str) -> Metric[Document]:
    def lacks(experiment: Experiment) -> str:
        return "" if experiment.sweep == option else f"{NO_SWEEP} over {option}"

    return Metric(
        path=f"recommendation.{option}",
        unit="count",
        meaning="What a [sweep](sweep.md#the-recommendation) over that option recommends; unknown "
        "where it names none",
        lacks=lacks,
    )


_RUN_INFO: tuple[tuple[str, Unit, str, str], ...] = (
    ("wall_s", "seconds", "How long it took", ""),
    ("cpu_s", "seconds", "Processor time of kab in it", ""),
    ("gc_collections", "count", "Garbage collections", ""),
    ("interrupted", "word", "Whether something ended it early", ""),
    (
        "gil_wait_s",
        "seconds",
        "How much later than in an idle interpreter a thread got it",
        "the run was too short to tell",
    ),
    (
        "other_cpu_min",
        "share",
        "What other processes took of the processors, in the calmest third",
        _TOO_SHORT,
    ),
    ("other_cpu_max", "share", "The same in the busiest third", _TOO_SHORT),
    (
        "free_ports",
        "count",
        "Local ports that were free; unknown where there were plenty",
        "there were plenty, or the system doesn't tell",
    ),
    (
        "port_held_s",
        "seconds",
        "How long each stays taken after its connection",
        "there were plenty of ports, or the system doesn't tell",
    ),
)
"""With what says why one of them is unknown."""
_TOLD = {"wall_s": "kab_run_duration_seconds", "cpu_s": "kab_run_cpu_seconds"}
"""What Prometheus is told that some of them are called."""
RUN_METRICS: tuple[Metric[Document], ...] = (
    *(
        Metric(
            path=name,
            unit="count",
            read=partial(_total, name=name),
            meaning="Requests of all arms",
            better="lower",
        )
        for name in TOTALS
    ),
    Metric(
        path="verdict.code",
        unit="word",
        meaning="[A word](json-format.md#verdict-the-one-sentence)",
        basis="verdict",
        words=VERDICTS,
    ),
    Metric(
        path="recommendation.code",
        unit="word",
        meaning="[A word](sweep.md#the-recommendation); only a sweep has one",
        lacks=lambda experiment: NO_SWEEP if experiment.sweep is None else "",
        words=RECOMMENDATIONS,
    ),
    *map(_recommended, RECOMMENDED),
    Metric(
        path="findings.<finding>",
        unit="count",
        read=lambda document: Counter(finding["code"] for finding in document["findings"]),
        meaning="How often kab [noticed](findings.md) that",
        better="lower",
        is_sparse=True,
    ),
    *(
        Metric(
            path=f"run_info.{name}",
            unit=unit,
            meaning=meaning,
            lacking=lacking,
            words=("true", "false") if unit == "word" else (),
            series=Series(_TOLD[name], f"{meaning}.") if name in _TOLD else None,
        )
        for name, unit, meaning, lacking in _RUN_INFO
    ),
    *(
        Metric(
            path=f"warmup.<label>.{name}",
            unit="count",
            meaning="Of an arm's warm-ups",
        )
        for name in ("requests", "failed", "connections")
    ),
)
