"""What is derived of docs/compare.md and docs/sweep.md.

Names come from the metrics, members from the types, and series from what is written.
"""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING

from documents.exports import SERIES_HEAD, series
from documents.members import members, rows_of
from documents.tables import MEMBERS_HEAD, PagePart, names_cell, table
from support.exports import everything, written
from support.runs import paired_run
from support.sweeps import scripted_sweep

from keepalive_bench import analyse
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import (
    BY_CODE,
    COUNTED,
    ESTIMATED,
    RATIOS,
    ComparisonChange,
    CountChange,
    FigureChange,
    NumberChange,
    Source,
    change_type,
)
from keepalive_bench.compare.document import (
    SCHEMA_VERSION,
    ComparedRun,
    ComparedRuns,
    openmetrics_lines,
)
from keepalive_bench.compare.requirements import change_scopes
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.plan.arms import Arm
from keepalive_bench.plan.document import harmless, plan_document
from keepalive_bench.requirements.listing import spellings
from keepalive_bench.sweep.report import COUNTS, LATENCIES, RATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from documents.members import Member
    from documents.tables import Row

    from keepalive_bench.requirements.names import AnyMetric, Scope

_COMPARE, _SWEEP = "compare.md", "sweep.md"
_OF = {"arms": "Of an arm", "comparisons": "Of two arms"}


def _recurring() -> Iterator[Row]:
    for least in sorted({it.recurs_after for it in REASON_KINDS if it.recurs_after is not None}):
        codes = (f"`{it.code}`" for it in REASON_KINDS if it.recurs_after == least)
        yield f"{least}", ", ".join(codes)


def parts() -> Iterator[PagePart]:
    """All of both pages that isn't prose."""
    yield PagePart(_COMPARE, "harmless", ", ".join(f"`{name}`" for name in sorted(harmless())))
    yield table(_COMPARE, "recurring", ("incidents that show it", "reasons"), _recurring())
    yield table(_COMPARE, "changes", ("name", "meaning", "how"), _changes())
    yield table(_COMPARE, "series", SERIES_HEAD, series(_compared(), "base", "new"))
    yield table(_COMPARE, "members", MEMBERS_HEAD, rows_of(_members()))
    columns = (
        (f"`{it.title}`", it.metric.meaning, it.shown) for it in (*COUNTS, *LATENCIES, *RATES)
    )
    yield table(_SWEEP, "columns", ("column", "meaning", "shown"), columns)
    others = {name for name, *_ in series(written("openmetrics", everything()))}
    text = written("openmetrics", scripted_sweep(1, 4, bursts=24))
    found = (row for row in series(text, "option", "traffic") if row[0] not in others)
    yield table(_SWEEP, "series", SERIES_HEAD, found)


def _changes() -> Iterator[Row]:
    """What a requirement on two runs can be about, those together that are decided alike."""
    found = tuple(change_scopes((Arm("pooled", "LABEL", 1), Arm("unpooled", "OTHER"))))
    for part in ("arms", "comparisons", ""):
        shown = [it for it in found if it.part == part and it.prefixes[0] != "OTHER."]
        rows: dict[tuple[str, str], list[str]] = {}
        for metric in {it.path: it for scope in shown for it in scope.named}.values():
            names = sorted(_spelled(shown, metric), key=len)
            # All names of an arm's metrics can be written in full, too.
            rows.setdefault(_said(part, metric), []).extend(names[: 1 if part == "arms" else None])
        for said, names in rows.items():
            yield names_cell(_alike(names)), *said


def _spelled(shown: Sequence[Scope], metric: AnyMetric) -> Iterator[str]:
    for scope in shown:
        yield from (f"{name}{scope.suffix}" for name in spellings([scope], metric))


def _said(part: str, metric: AnyMetric) -> tuple[str, str]:
    if metric.basis == "verdict":
        return metric.meaning, "as above"
    what, is_counted = _OF.get(part, metric.meaning), metric.basis == "exact"
    formula = "new − base" if is_counted else "new ÷ base − 1"
    return f"{what}: {formula}", "exactly" if is_counted else "interval"


def _alike(names: Iterable[str]) -> list[list[str]]:
    """Names by what stands before their last part and `change`."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        found.setdefault(tuple(name.split(".")[:-2]), []).append(name)
    return list(found.values())


def _members() -> Iterator[Member]:
    yield "schema_version", f"{SCHEMA_VERSION}", ""
    yield "kind", "`comparison`", ""
    yield from members(ComparedRun, "{bases[],changes[].new}.")
    yield from members(ComparedRuns, "changes[].", without={"new", "arms", "comparisons"})
    arm = "changes[].arms.<label>."
    yield f"{arm}kind", "How the arm treats connections", ""
    counted = [(change_type(it), path) for path, (it, _) in COUNTED.items()]
    for change, paths in (
        (
            CountChange,
            [path for found, path in counted if found is CountChange],
        ),
        (
            NumberChange,
            [path for found, path in counted if found is NumberChange],
        ),
        (CountChange, [f"{name}.*" for name in BY_CODE]),
        (FigureChange, [it.path for it in ESTIMATED]),
    ):
        yield from (_changing(change, f"{arm}{path}") for path in paths)
    compared = "changes[].comparisons[]."
    yield from members(ComparisonChange, compared, without=set(RATIOS))
    yield from (_changing(FigureChange, f"{compared}{name}") for name in RATIOS)


def _changing(change: type[CountChange | NumberChange | FigureChange], path: str) -> Member:
    meaning = (getdoc(change) or "").rstrip(".")
    return f"{path}.{{{','.join(change._fields)}}}", meaning, ""


def _compared() -> str:
    """What is written of two runs, and of two sweeps."""
    pairs = paired_run([0.01] * 8, [0.02] * 8), scripted_sweep(1, 4)
    sources = [Source("run.json", run, analyse(run), plan_document(run.plan)) for run in pairs]
    changes = [compare_runs([it], it, ["failed.change==0"]) for it in sources]
    return "".join(openmetrics_lines(changes))
