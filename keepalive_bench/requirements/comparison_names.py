"""What each comparison has names for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.analysis.analysis import REMAINDER
from keepalive_bench.analysis.explanation import NAMED
from keepalive_bench.requirements.arm_names import NO_INTERVAL, rate, rate_lacks
from keepalive_bench.requirements.quantity import Evidence, Kind, Quantity, exact, nothing
from keepalive_bench.results.exchange import QUEUED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.analysis import Analysis, Comparison
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.requirements.quantity import Named
    from keepalive_bench.stats.intervals import Estimate

_COMPARED: dict[str, tuple[Kind, Basis]] = {
    "speedup": ("ratio", "ranks"),
    "requests_per_second": ("ratio", "pairs"),
    "pairs": ("count", "exact"),
    "left_out": ("count", "exact"),
    "correlation": ("number", "nothing"),
    "interval_inflation": ("number", "nothing"),
}
_SAVINGS: dict[str, Basis] = {
    "mean": "pairs",
    "p50": "p50",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
}
_PART, _THOUSAND, _ROUND_TRIP = "parts_s.", "per_1000_requests_s", "round_trip_s"
_EXPLAINED: dict[str, Basis] = {
    **{f"{_PART}{phase}": "nothing" for phase in (QUEUED, *NAMED, REMAINDER)},
    _THOUSAND: "nothing",
    _ROUND_TRIP: "exact",
}


def comparison(number: int, other: str) -> Iterator[Named]:
    """The first-named arm against another; the first comparison need not be named."""
    place, is_first = f"comparisons[{number}]", number == 0
    for field, (kind, basis) in _COMPARED.items():
        name, find = f"{place}.{field}", partial(_compared, number=number, field=field)
        spellings = [name] if basis in {"exact", "nothing"} else [name, f"{name}.estimate"]
        if is_first and field != "requests_per_second":  # which is the pooled arm's own
            spellings.append(field)
        if field == "speedup":
            spellings.append(f"{field}.{other}")
        quantity = Quantity(
            name=name,
            kind=kind,
            find=find,
            basis=basis,
            is_signed=field == "correlation",
            lacks=rate_lacks if field == "requests_per_second" else nothing,
        )
        yield tuple(spellings), quantity
    for metric, basis in _SAVINGS.items():
        name, find = f"{place}.saving_s.{metric}", partial(_saving, number=number, metric=metric)
        spellings = [name, f"{name}.estimate", f"saving.{other}.{metric}"]
        if is_first:
            spellings += [f"saving.{metric}", f"saving_s.{metric}"]
        if metric == "mean":
            spellings += ["saving"] * is_first
            spellings += [f"saving.{other}"] * (other not in _SAVINGS)
        quantity = Quantity(name=name, kind="seconds", find=find, basis=basis, is_signed=True)
        yield tuple(spellings), quantity
    for path, basis in _EXPLAINED.items():
        name = f"{place}.explained.{path}"
        find = partial(_explained, number=number, path=path)
        spellings = [name, f"explained.{path}"][: 1 + is_first]
        is_signed = path != _ROUND_TRIP
        quantity = Quantity(name=name, kind="seconds", find=find, basis=basis, is_signed=is_signed)
        yield tuple(spellings), quantity


def _compared(analysis: Analysis, *, number: int, field: str) -> Evidence:
    comparison = analysis.comparisons[number]
    if field in {"pairs", "left_out"}:
        return exact(getattr(comparison, field))
    if field in {"correlation", "interval_inflation"}:
        return exact(getattr(comparison, field), NO_INTERVAL)
    if field == "speedup":
        return _estimate(comparison, comparison.speedup)
    found = _estimate(comparison, comparison.throughput)
    arms = (arm for arm in analysis.arms if arm.label in {comparison.arm, comparison.against})
    lacking = next(filter(None, (rate(arm).lacking for arm in arms)), "")
    is_whole = found.lacking or None not in found[:3]
    return found if is_whole else found._replace(lacking=lacking)


def _saving(analysis: Analysis, *, number: int, metric: str) -> Evidence:
    comparison = analysis.comparisons[number]
    return _estimate(comparison, comparison.saving[metric])


def _estimate(comparison: Comparison, estimate: Estimate) -> Evidence:
    """What a comparison shows; nothing where the arms can't be compared."""
    if comparison.incomparable:
        return exact(None, comparison.incomparable.rstrip("."))
    return Evidence(*estimate)


def _explained(analysis: Analysis, *, number: int, path: str) -> Evidence:
    found = analysis.comparisons[number].explanation
    if found is None:
        return exact(None, "no pair of requests was answered by both arms")
    if path == _ROUND_TRIP:
        return exact(found.round_trip, "the system doesn't tell")
    if path == _THOUSAND:
        return exact(1000 * sum(found.parts.values()), NO_INTERVAL)
    return exact(found.parts[path.removeprefix(_PART)], NO_INTERVAL)
