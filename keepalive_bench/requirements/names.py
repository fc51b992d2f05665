"""What a requirement can be about: how each metric is spelled, and what a spelling means.

A name is a path in the results file (`arms.pooled.latency_s.p95`), or one of the short ones that
stand for it (`pooled.p95`, `p95`). `listing.py` lists them for people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.metrics import Metric
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import RUN_METRICS, SWEEP_METRICS
from keepalive_bench.findings import FINDING_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keepalive_bench.plan.arms import Arm

AnyMetric = Metric[Any]
_SAVINGS = {it.path for it in COMPARISON_METRICS if it.path.startswith("saving_s.")}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A part of the document, and a way to spell what it has."""

    name: str = ""
    """What stands before a metric's path in its full name."""
    steps: tuple[str | int, ...] = ()
    """The members that lead to it in the document."""
    label: str = ""
    """Of which arm it is, or with which one the first is compared."""
    metrics: tuple[AnyMetric, ...]
    prefixes: tuple[str, ...] = ("",)
    forms: Callable[[AnyMetric], Iterable[str]]
    """What follows a prefix, with the metric's placeholder."""
    suffix: str = ""

    @property
    def named(self) -> tuple[AnyMetric, ...]:
        """The metrics that a requirement can be about."""
        return tuple(metric for metric in self.metrics if metric.is_named)

    @property
    def part(self) -> str:
        """The member of the document that it is in; empty: it is the whole."""
        return str(self.steps[0]) if self.steps else ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a name means."""

    scope: Scope
    metric: AnyMetric
    key: str
    """In the place of the metric's placeholder."""

    @property
    def name(self) -> str:
        """Its place in the results file, in full."""
        path = self.metric.path.replace(self.metric.placeholder, self.key)
        return f"{self.scope.name}{path}{self.scope.suffix}"

    @property
    def spoken(self) -> str:
        """What a sentence calls it."""
        short = self.name.removeprefix("arms.").removeprefix("comparisons[0].")
        return short.replace("latency_s.", "").removesuffix(".code")


def scopes(arms: tuple[Arm, ...]) -> Iterator[Scope]:
    """All that a run of these arms has, in the order in which names are taken.

    Where an arm is called like something else, the short name is the other thing's, and the arm's
    begins with `arms.`.
    """
    keys = {
        "<finding>": tuple(kind.code for kind in FINDING_KINDS),
        "<label>": tuple(arm.label for arm in arms),
    }
    of_run = (replace(it, keys=it.keys or keys.get(it.placeholder, ())) for it in RUN_METRICS)
    yield Scope(metrics=tuple(of_run), forms=_run_forms)
    swept = sorted((arm.value, arm.label) for arm in arms if arm.value is not None)
    for number, (_, label) in enumerate(swept):
        name = f"sweep.values[{number}]."
        value = Scope(
            name=name,
            steps=("sweep", "values", number),
            metrics=SWEEP_METRICS,
            prefixes=(name,),
            forms=_full_forms,
        )
        yield value
        counts = tuple(metric for metric in SWEEP_METRICS if not metric.bounds)
        yield replace(value, metrics=counts, prefixes=(f"{label}.",))
    for number, arm in enumerate(arms[1:]):
        name = f"comparisons[{number}]."
        comparison = Scope(
            name=name,
            steps=("comparisons", number),
            label=arm.label,
            metrics=COMPARISON_METRICS,
            prefixes=(name,),
            forms=_full_forms,
        )
        yield comparison
        forms = partial(_comparison_forms, other=arm.label, is_first=number == 0)
        yield replace(comparison, prefixes=("",), forms=forms)
    pooled = next((arm for arm in arms if arm.traits.reuses), None)
    if pooled is not None:
        yield _arm(pooled.label, "")
    for arm in arms:
        yield _arm(arm.label, f"{arm.label}.", f"arms.{arm.label}.")


def _arm(label: str, *prefixes: str) -> Scope:
    return Scope(
        name=f"arms.{label}.",
        steps=("arms", label),
        label=label,
        metrics=ARM_METRICS,
        prefixes=prefixes,
        forms=_arm_forms,
    )


def resolve(spelled: str, among: Iterable[Scope]) -> Subject | None:
    """What a name means; `None`: nothing."""
    for scope in among:
        for prefix in scope.prefixes:
            if spelled.startswith(prefix) and spelled.endswith(scope.suffix):
                rest = spelled[len(prefix) : len(spelled) - len(scope.suffix)]
                for metric in scope.named:
                    for form in scope.forms(metric):
                        key = _key(rest, form, metric)
                        if key is not None:
                            return Subject(scope=scope, metric=metric, key=key)
    return None


def all_names(among: Iterable[Scope]) -> Iterator[str]:
    """Every name that something has, each of its spellings."""
    for scope in among:
        for prefix, metric in product(scope.prefixes, scope.named):
            for key, form in product(metric.keys or ("",), scope.forms(metric)):
                yield f"{prefix}{form.replace(metric.placeholder, key)}{scope.suffix}"


def _key(rest: str, form: str, metric: AnyMetric) -> str | None:
    """What a name has in the place of the placeholder; `None` where it's another one's."""
    if not metric.keys:
        return "" if rest == form else None
    before, _, after = form.partition(metric.placeholder)
    if not (rest.startswith(before) and rest.endswith(after)):
        return None
    key = rest[len(before) : len(rest) - len(after)]
    return key if key in metric.keys else None


def _run_forms(metric: AnyMetric) -> Iterator[str]:
    yield metric.path
    if metric.basis == "verdict":
        yield metric.path.removesuffix(".code")


def _full_forms(metric: AnyMetric) -> Iterator[str]:
    """As in the file, where what has an interval has three members."""
    yield metric.path
    if metric.bounds:
        yield f"{metric.path}.estimate"


def _comparison_forms(metric: AnyMetric, *, other: str, is_first: bool) -> Iterator[str]:
    """The first comparison need not be named."""
    path = metric.path
    if is_first and path != "requests_per_second":  # which is the pooled arm's own
        yield path
    if path in {"speedup", "mean_ratio"}:
        yield f"{path}.{other}"
    group, _, statistic = path.rpartition(".")
    if group == "saving_s":
        short = ["saving", f"saving.{other}"] if is_first else [f"saving.{other}"]
        yield from (f"{it}.{statistic}" for it in short)
        if statistic == "mean":
            yield from (it for it in short if it.replace("saving.", "saving_s.") not in _SAVINGS)


def _arm_forms(metric: AnyMetric) -> Iterable[str]:
    return dict.fromkeys((metric.path.removeprefix("latency_s."), metric.path))
