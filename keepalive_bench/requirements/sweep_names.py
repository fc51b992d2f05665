"""What a sweep has names for: what each value came to, and what is recommended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.requirements.quantity import Evidence, Quantity, exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.plan.experiment import Arm, Experiment
    from keepalive_bench.requirements.quantity import Named

RECOMMENDATIONS = (
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
)
_COUNTS = ("discarded", "open_at_once", "waited")
_NO_SWEEP = "the run is no sweep"


def recommendation() -> Iterator[Named]:
    """What a sweep recommends; runs that are none have the names, and are told so."""
    name = "recommendation.code"
    yield (
        (name,),
        Quantity(name=name, kind="word", find=_code, words=RECOMMENDATIONS, lacks=_unswept),
    )
    for option in RECOMMENDED:
        name, find = f"recommendation.{option}", partial(_recommended, option=option)
        lacks = partial(_unswept_over, option=option)
        yield (name,), Quantity(name=name, kind="count", find=find, lacks=lacks)


def values(arms: tuple[Arm, ...]) -> Iterator[Named]:
    """What each value came to, the smallest first, as the results file has them."""
    swept = sorted((arm.value, arm.label) for arm in arms if arm.value is not None)
    for number, (_, label) in enumerate(swept):
        place = f"sweep.values[{number}]"
        for field in _COUNTS:
            name, find = f"{place}.{field}", partial(_count, number=number, field=field)
            yield (name, f"{label}.{field}"), Quantity(name=name, kind="count", find=find)
        name = f"{place}.requests_per_second"
        rate = Quantity(name=name, kind="rate", find=partial(_rate, number=number), basis="pairs")
        yield (name, f"{name}.estimate"), rate


def _unswept(experiment: Experiment) -> str:
    return _NO_SWEEP if experiment.sweep is None else ""


def _unswept_over(experiment: Experiment, *, option: str) -> str:
    return "" if experiment.sweep == option else f"{_NO_SWEEP} over {option}"


def _code(analysis: Analysis) -> Evidence:
    sweep = analysis.sweep
    return exact(None, _NO_SWEEP) if sweep is None else exact(sweep.recommendation.code)


def _recommended(analysis: Analysis, *, option: str) -> Evidence:
    """What a sweep over an option recommends; a sentence where that is nothing."""
    sweep, lacking = analysis.sweep, _unswept_over(analysis.plan.experiment, option=option)
    if sweep is None or lacking:
        return exact(None, lacking)
    return exact(sweep.recommendation.value, sweep.recommendation.text.rstrip("."))


def _count(analysis: Analysis, *, number: int, field: str) -> Evidence:
    if analysis.sweep is None:
        return exact(None, _NO_SWEEP)
    return exact(getattr(analysis.sweep.values[number], field))


def _rate(analysis: Analysis, *, number: int) -> Evidence:
    if analysis.sweep is None:
        return exact(None, _NO_SWEEP)
    return Evidence(*analysis.sweep.values[number].requests_per_second)
