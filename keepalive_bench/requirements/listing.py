"""All that a requirement can be about, for people: names that mean the same stand together."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.field_docs import field_docs
from keepalive_bench.plan.arms import Arm
from keepalive_bench.requirements.names import scopes
from keepalive_bench.results.measured import RunInfo, WarmUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.requirements.names import AnyMetric, Scope

_PARTS = {
    "arms": "Of an arm",
    "comparisons": "Of the first-named arm against another",
    "": "Of the run",
    "sweep": "Of each value of a sweep",
}
"""By the member of the document that has them."""
_DOCUMENTED = {"run_info": RunInfo, "warmup": WarmUp}


class Listed(NamedTuple):
    """Metrics that mean the same."""

    names: tuple[tuple[str, ...], ...]
    """How they are spelled, the shortest spelling first: of each, one for each metric."""
    meaning: str


def parts() -> Iterator[tuple[str, list[Listed]]]:
    """All of them, by part of a run.

    `LABEL` stands for an arm, `OTHER` for the one that it is compared with.
    """
    found = tuple(scopes((Arm("pooled", "LABEL", 1), Arm("unpooled", "OTHER"))))
    for member, title in _PARTS.items():
        shown = [it for it in found if it.part == member and it.prefixes[0] != "OTHER."]
        yield title, list(_listed(shown))


def meaning_of(metric: AnyMetric) -> str:
    """What a metric is; of a member of the file, what the docstring of its field says."""
    if metric.meaning:
        return metric.meaning
    group, *_, name = metric.path.split(".")
    return field_docs(_DOCUMENTED[group]).get(name, "").partition("; `None`")[0].rstrip(".")


def spellings(spelled: Iterable[Scope], metric: AnyMetric) -> set[str]:
    """But for those that end as the file's own members do, and those with an arm's name."""
    return {
        f"{scope.prefixes[0]}{form}"
        for scope in spelled
        if metric in scope.metrics and scope.prefixes[0] != f"{scope.label}."
        for form in scope.forms(metric)
        if not form.endswith(".estimate")
    }


def _listed(spelled: Sequence[Scope]) -> Iterator[Listed]:
    told = ((meaning_of(it), it) for it in spelled[0].named)
    for meaning, found in groupby(told, lambda it: it[0]):
        names = [
            sorted(spellings(spelled, metric), key=lambda it: (len(it), it)) for _, metric in found
        ]
        yield Listed(tuple(zip(*names, strict=True)), meaning)


def together(names: Sequence[str]) -> Sequence[str]:
    """Names that differ in one part as one name, with a choice there."""
    parts = [name.split(".") for name in names]
    if len(names) == 1 or len({len(each) for each in parts}) > 1:
        return names
    columns = [list(dict.fromkeys(column)) for column in zip(*parts, strict=True)]
    if sum(len(column) > 1 for column in columns) != 1:
        return names
    return [".".join(it[0] if len(it) == 1 else f"{{{','.join(it)}}}" for it in columns)]
