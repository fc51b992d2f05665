"""What a run has as a whole, and each value of a sweep."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from keepalive_bench.analysis.metrics import NO_SWEEP, Metric, Series, anything, up_to_all
from keepalive_bench.analysis.sweep import RECOMMENDATIONS, RECOMMENDED
from keepalive_bench.analysis.verdict import VERDICTS
from keepalive_bench.results.measured import RunInfo, WarmUp
from keepalive_bench.typed_json import (
    DERIVED,
    Count,
    Positive,
    Seconds,
    Share,
    least,
    members_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.analysis.metrics import Span, Unit, Value
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
        spans=up_to_all,
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
        spans=up_to_all,
        heading="open at once",
        series=Series(
            "kab_connections_open_at_once", "Connections that were open at once, at most."
        ),
    ),
    Metric(
        path="waited",
        unit="count",
        meaning="Requests that waited for a connection, in vain or not",
        spans=up_to_all,
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


def _of_all_arms(experiment: Experiment, _: str) -> Span:
    return 0, experiment.requests * len(experiment.arms)


def _why_failed(document: Document) -> dict[str, int]:
    kinds = Counter[str]()
    for arm in document["arms"].values():
        kinds.update(arm["failures"])
    return dict(kinds.most_common())


def _verdicts(experiment: Experiment, _: str) -> tuple[str, ...]:
    """Whatever is measured, or not, of a sweep, of one arm or of several."""
    if experiment.sweep is not None:
        return "not-measured", "sweep"
    if len(experiment.arms) == 1:
        return "not-measured", "one-arm"
    can_reuse = any(arm.traits.reuses for arm in experiment.arms)
    never = {"sweep", "one-arm"} if can_reuse else {"sweep", "one-arm", "not-reused"}
    return tuple(word for word in VERDICTS if word not in never)


def _recommended(option: str) -> Metric[Document]:
    def lacks(experiment: Experiment) -> str:
        return "" if experiment.sweep == option else f"{NO_SWEEP} over {option}"

    return Metric(
        path=f"recommendation.{option}",
        unit="count",
        meaning="What a [sweep](sweep.md#the-recommendation) over that option recommends; unknown "
        "where it names none, and undecided where a smaller value may be enough",
        lacks=lacks,
        spans=_swept,
    )


def _swept(experiment: Experiment, _: str) -> Span:
    values = [arm.value for arm in experiment.arms if arm.value is not None]
    return min(values, default=0), max(values, default=0)


_TYPES: tuple[tuple[Any, Unit], ...] = (
    (Seconds, "seconds"),
    (Count, "count"),
    (Positive, "count"),
    (Annotated[int, DERIVED, least(0)], "count"),
    (Share, "share"),
    (bool, "word"),
)
_UNITS = {each: unit for type_, unit in _TYPES for each in (type_, type_ | None)}
"""What a member of a type is measured in; no requirement can be about one of another type."""
_LACKING = {
    "gil_wait_s": "the run was too short to tell",
    **dict.fromkeys(("other_cpu_min", "other_cpu_max"), _TOO_SHORT),
    "free_ports": "there were plenty, or the system doesn't tell",
    "port_held_s": "there were plenty of ports, or the system doesn't tell",
}
_SERIES = {
    "wall_s": Series("kab_run_duration_seconds", "How long it took."),
    "cpu_s": Series("kab_run_cpu_seconds", "Processor time of kab in it."),
}


def _up_to_warmups(experiment: Experiment, _: str) -> Span:
    return 0, experiment.warmups


def _of_members(
    before: str, type_: type, spans: Callable[[Experiment, str], Span] = anything
) -> Iterator[Metric[Document]]:
    """One of each number in a part of the document, and of each yes or no."""
    for name, hint in members_of(type_).items():
        if hint in _UNITS:
            unit = _UNITS[hint]
            yield Metric(
                path=f"{before}.{name}",
                unit=unit,
                lacking=_LACKING.get(name, ""),
                spans=spans,
                words=("true", "false") if unit == "word" else (),
                series=_SERIES.get(name),
            )


RUN_METRICS: tuple[Metric[Document], ...] = (
    *(
        Metric(
            path=name,
            unit="count",
            read=partial(_total, name=name),
            meaning="Requests of all arms",
            better="lower",
            spans=_of_all_arms,
            why=_why_failed if name == "failed" else None,
        )
        for name in TOTALS
    ),
    Metric(
        path="verdict.code",
        unit="word",
        meaning="[The verdict](json-format.md#verdict-the-one-sentence), in a word",
        basis="verdict",
        words=VERDICTS,
        words_of=_verdicts,
    ),
    Metric(
        path="recommendation.code",
        unit="word",
        meaning="[What the recommendation rests on](sweep.md#the-recommendation), in a word; "
        "only a sweep has one",
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
    *_of_members("run_info", RunInfo),
    *_of_members("warmup.<label>", WarmUp, _up_to_warmups),
)
