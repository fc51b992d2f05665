"""What kab noticed of header fields that answers are counted by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.analysis.comparison import distance
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.stats.homogeneity import heterogeneity
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.counted import CountedField

_UNALIKE = 0.2
"""Of an arm's answers, how many have other values than another arm's did."""
_SURE = 3.1
"""A normal deviate that chance reaches less than once in 1,000 times."""
_SHOWN, _LONGEST = 4, 60
_MISSING, _OTHERS = "not sent", "others"
_SPLIT = "Responses by arm: {shares}."

COUNTED_DIFFERENTLY = FindingKind(
    code="counted-differently",
    title="The arms got different values of a field of `--count-by`",
    who="path",
    evidence=("field", "split"),
    proof="In a fifth of the responses or more, and not by chance (chi-square, p < 0.001).",
    text="The arms got different values of {field}, so a difference between servers looks like one "
    f"between arms. {_SPLIT}",
    advice="If the field names the server: a reused connection stays with one of them, while new "
    "ones are spread. More connections (--concurrency), or a balancer that spreads requests "
    "instead of connections, even that out.",
    cases={
        "kept connections stay": Case(
            text="{kept} got fewer values of {field} than {fresh}. A reused connection stays with "
            "the server that it reached first, while new ones are spread, so a difference between "
            f"servers looks like one between arms. {_SPLIT}",
            advice="More connections (--concurrency), or a balancer that spreads requests instead "
            "of connections, even that out; other clients that reuse connections are balanced in "
            "the same way.",
        )
    },
    provoked=Provoked("URL -n 30 --count-by X-Long", "--fault long-header=5 --fault-requests 1"),
)


def counted_findings(arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Fields of which the arms' answers have different values."""
    labels = [arm.label for arm in arms]
    for fields in zip(*(arm.counted for arm in arms), strict=True):
        counts = dict(zip(labels, map(_counts, fields), strict=True))
        several = [*counts.values()]
        unlike = max(distance(one, other) for one in several for other in several)
        if unlike <= _UNALIKE or heterogeneity(several) <= _SURE:
            continue
        kept, fresh = _stays(arms, counts)
        yield COUNTED_DIFFERENTLY.found(
            field=fields[0].field,
            split=_split(counts),
            case="kept connections stay" if kept else None,
            words={"shares": printable(_split(counts)), "kept": kept, "fresh": fresh},
        )


def _counts(field: CountedField) -> dict[str, int]:
    """By value; those that aren't there, or not known, as one."""
    counts = {printable(value)[:_LONGEST]: count for value, count in field.values.items()}
    beside = {_MISSING: field.missing, _OTHERS: field.not_kept}
    return counts | {name: count for name, count in beside.items() if count}


def _stays(arms: Sequence[ArmSummary], counts: Mapping[str, Mapping[str, int]]) -> tuple[str, str]:
    """An arm whose kept connections met fewer values, and one that met more on new ones."""
    pairs = (
        (one.label, other.label)
        for one in arms
        for other in arms
        if one.traits.reuses
        and not other.traits.reuses
        and 0 < len(counts[one.label]) < len(counts[other.label])
    )
    return next(pairs, ("", ""))


def _split(counts: Mapping[str, Mapping[str, int]]) -> str:
    total = Counter[str]()
    for by_value in counts.values():
        total.update(by_value)
    shown = [value for value, _ in total.most_common(_SHOWN)]
    split = "; ".join(f"{value}: {_of_value(counts, value)}" for value in shown)
    more = len(total) - len(shown)
    return f"{split}; and {more:,} more" if more else split


def _of_value(counts: Mapping[str, Mapping[str, int]], value: str) -> str:
    return ", ".join(f"{arm} {by_value.get(value, 0):,}" for arm, by_value in counts.items())
