"""What a requirement can be about: each name, and what a run has to say of it.

docs/requirements.md is this table for people. A name is a path in the results file
(`arms.pooled.latency_s.p95`), or one of the short ones that stand for it (`pooled.p95`, `p95`).
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from keepalive_bench.analysis.latencies import PERCENTS, quantile_ends
from keepalive_bench.findings.finding_kinds import FINDING_KINDS
from keepalive_bench.requirements import sweep_names
from keepalive_bench.requirements.arm_names import ARM_MEMBERS, TOTALS
from keepalive_bench.requirements.comparison_names import comparison
from keepalive_bench.requirements.quantity import Evidence, Kind, Quantity, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from keepalive_bench.analysis.analysis import Analysis, ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.plan.experiment import Arm
    from keepalive_bench.requirements.quantity import Named
    from keepalive_bench.stats.intervals import Ends

VERDICTS = (
    "faster",
    "slower",
    "no-difference",
    "inconclusive",
    "not-reused",
    "not-comparable",
    "not-measured",
    "one-arm",
    "sweep",
)
FINDINGS = tuple(kind.code for kind in FINDING_KINDS)
QUANTILES = {f"p{percent}": percent for percent in PERCENTS}
_COURSE: dict[str, tuple[Kind, str]] = {
    "wall_s": ("seconds", ""),
    "cpu_s": ("seconds", ""),
    "gc_collections": ("count", ""),
    "interrupted": ("word", ""),
    "gil_wait_s": ("seconds", "the run was too short to tell"),
    "other_cpu_min": ("share", "the run was too short, or the system doesn't tell"),
    "other_cpu_max": ("share", "the run was too short, or the system doesn't tell"),
    "free_ports": ("count", "there were plenty, or the system doesn't tell"),
    "port_held_s": ("seconds", "there were plenty of ports, or the system doesn't tell"),
}
"""What each is measured in, and why it may be unknown."""


@lru_cache(maxsize=8)
def names(arms: tuple[Arm, ...]) -> dict[str, Quantity]:
    """Everything that a run of these arms has a name for, by each of its spellings.

    Where an arm is called like something else, the short name is the other thing's, and the arm's
    begins with `arms.`.
    """
    found: dict[str, Quantity] = {}
    for spellings, quantity in _all(arms):
        for spelling in spellings:
            found.setdefault(spelling, quantity)
    return found


def _all(arms: tuple[Arm, ...]) -> Iterator[Named]:
    yield from _whole()
    yield from sweep_names.recommendation()
    yield from sweep_names.values(arms)
    for number, arm in enumerate(arms[1:]):
        yield from comparison(number, arm.label)
    pooled = next((arm for arm in arms if arm.traits.reuses), None)
    if pooled is not None:
        yield from _arm(pooled.label, prefixes=("",))
    for arm in arms:
        yield from _arm(arm.label, prefixes=(f"{arm.label}.", f"arms.{arm.label}."))


def _whole() -> Iterator[Named]:
    """What is about all arms together; but for the totals, by its place in the file."""
    for field in TOTALS:
        yield (field,), Quantity(name=field, kind="count", find=partial(_total, field=field))
    yield (
        ("verdict", "verdict.code"),
        Quantity(name="verdict.code", kind="word", find=_verdict, basis="verdict", words=VERDICTS),
    )
    for field, (kind, lacking) in _COURSE.items():
        find = partial(_run_info, field=field, lacking=lacking)
        words = ("true", "false") if kind == "word" else ()
        name = f"run_info.{field}"
        yield (name,), Quantity(name=name, kind=kind, find=find, words=words)
    for code in FINDINGS:
        name = f"findings.{code}"
        yield (name,), Quantity(name=name, kind="count", find=partial(_findings, code=code))


def _total(analysis: Analysis, *, field: str) -> Evidence:
    return exact(sum(getattr(arm, field) for arm in analysis.arms))


def _verdict(analysis: Analysis) -> Evidence:
    return exact(analysis.verdict.code)


def _run_info(analysis: Analysis, *, field: str, lacking: str) -> Evidence:
    value = getattr(analysis.run_info, field)
    return exact(str(value).lower() if isinstance(value, bool) else value, lacking)


def _findings(analysis: Analysis, *, code: str) -> Evidence:
    return exact(sum(finding.code == code for finding in analysis.findings))


def _arm(label: str, *, prefixes: tuple[str, ...]) -> Iterator[Named]:
    for path, member in ARM_MEMBERS.items():
        short = path.removeprefix("latency_s.")
        spellings = tuple(f"{prefix}{end}" for prefix in prefixes for end in (short, path))
        find = partial(_of_arm, label=label, read=member.read)
        yield (
            spellings,
            Quantity(
                name=f"arms.{label}.{path}",
                kind=member.kind,
                find=find,
                basis=member.basis,
                words=member.words,
                lacks=member.lacks,
                ends=_ends(label, path),
            ),
        )
    for field in ("requests", "failed", "connections"):
        name, find = f"warmup.{label}.{field}", partial(_warmup, label=label, field=field)
        yield (name,), Quantity(name=name, kind="count", find=find)


def _ends(label: str, path: str) -> Callable[[Mapping[str, ArmView]], Ends] | None:
    place, _, metric = path.rpartition(".")
    if place != "latency_s" or metric not in QUANTILES:
        return None
    return lambda views: quantile_ends(views[label], QUANTILES[metric])


def _of_arm(analysis: Analysis, *, label: str, read: Callable[[ArmSummary], Evidence]) -> Evidence:
    return read(next(arm for arm in analysis.arms if arm.label == label))


def _warmup(analysis: Analysis, *, label: str, field: str) -> Evidence:
    warmup = analysis.warmup[label]
    return exact(len(warmup.failures) if field == "failed" else getattr(warmup, field))
