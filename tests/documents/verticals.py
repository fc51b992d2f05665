"""The tables of docs/compare.md and docs/sweep.md (`make docs`): their prose stays as it is.

Names come from the metrics, members from the schema, and series from what is written.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from documents.metrics import DOCS, cell, spellings, with_table, with_text
from prometheus_client.parser import text_string_to_metric_families
from support.exports import everything, written
from support.runs import paired_run
from support.sweeps import scripted_sweep

from keepalive_bench import analyse
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Source
from keepalive_bench.compare.document import comparison_schema, openmetrics_lines
from keepalive_bench.compare.requirements import change_places
from keepalive_bench.plan.document import harmless, plan_document
from keepalive_bench.plan.experiment import Arm
from keepalive_bench.sweep.report import COUNTS, LATENCIES, RATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from documents.metrics import Row

    from keepalive_bench.requirements.names import AnyMetric, Place
    from keepalive_bench.typed_json import Schema

COMPARE, SWEEP = DOCS / "compare.md", DOCS / "sweep.md"
_OF = {"arms": "Of an arm", "comparisons": "Of two arms"}


def pages() -> dict[Path, str]:
    """The two pages as they should be."""
    compare, sweep = COMPARE.read_text("utf-8"), SWEEP.read_text("utf-8")
    immaterial = ", ".join(f"`{name}`" for name in sorted(harmless()))
    compare = with_text(compare, "harmless", immaterial)
    compare = with_table(compare, "changes", ("name", "meaning", "how"), _changes())
    members = _together(_members(comparison_schema(), ""))
    compare = with_table(compare, "members", ("member", "meaning", "has"), members)
    head = ("metric", "labels", "meaning")
    compare = with_table(compare, "series", head, _series(_compared(), "base", "new"))
    of_sweep = written("openmetrics", scripted_sweep(1, 4, bursts=24))
    of_others = {row[0] for row in _series(written("openmetrics", everything()))}
    rows = (row for row in _series(of_sweep, "option", "traffic") if row[0] not in of_others)
    sweep = with_table(sweep, "series", head, rows)
    columns = (
        (f"`{it.title}`", it.metric.meaning, it.shown) for it in (*COUNTS, *LATENCIES, *RATES)
    )
    sweep = with_table(sweep, "columns", ("column", "meaning", "shown"), columns)
    return {COMPARE: compare, SWEEP: sweep}


def _changes() -> Iterator[Row]:
    """What a requirement on two runs can be about, those together that are decided alike."""
    found = tuple(change_places((Arm("pooled", "LABEL", 1), Arm("unpooled", "OTHER"))))
    for part in ("arms", "comparisons", ""):
        shown = [it for it in found if it.part == part and it.prefixes[0] != "OTHER."]
        rows: dict[tuple[str, str], list[str]] = {}
        for metric in {it.path: it for place in shown for it in place.named}.values():
            names = sorted(_spelled(shown, metric), key=len)
            # All names of an arm's metrics can be written in full, too.
            rows.setdefault(_said(part, metric), []).extend(names[: 1 if part == "arms" else None])
        for said, names in rows.items():
            yield cell(_alike(names, lambda name: name.split(".")[:-2])), *said


def _spelled(shown: Sequence[Place], metric: AnyMetric) -> Iterator[str]:
    for place in shown:
        yield from (f"{name}{place.suffix}" for name in spellings([place], metric))


def _said(part: str, metric: AnyMetric) -> tuple[str, str]:
    if metric.basis == "verdict":
        return metric.meaning, "as above"
    what, is_counted = _OF.get(part, metric.meaning), metric.basis == "exact"
    formula = "new − base" if is_counted else "new ÷ base − 1"
    return f"{what}: {formula}", "exactly" if is_counted else "interval"


def _alike(names: Iterable[str], by: Callable[[str], object]) -> list[list[str]]:
    """Names that may be told together: those with the same of something."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(repr(by(name)), []).append(name)
    return list(found.values())


def _members(schema: Schema, before: str) -> Iterator[Row]:
    """What the document has, down to what its schema describes."""
    for name, member in schema["properties"].items():
        path, inner = f"{before}{name}", member
        if "items" in member:
            path, inner = f"{path}[]", member["items"]
        elif isinstance(member.get("additionalProperties"), dict):
            key = "<label>" if name == "arms" else "<code>"
            path, inner = f"{path}.{key}", member["additionalProperties"]
        if "description" in member or "const" in member:
            has = ", ".join(f"`{it}`" for it in inner.get("properties", ()))
            yield path, member.get("description") or f"`{member['const']}`", has
        else:
            yield from _members(inner, f"{path}.")


def _together(rows: Iterable[Row]) -> Iterator[Row]:
    for said, group in groupby(rows, lambda row: row[1:]):
        yield cell(_alike((row[0] for row in group), lambda path: path.count("."))), *said


def _compared() -> str:
    """What is written of two runs, and of two sweeps."""
    pairs = paired_run([0.01] * 8, [0.02] * 8), scripted_sweep(1, 4)
    sources = [Source("run.json", run, analyse(run), plan_document(run.plan)) for run in pairs]
    changes = [compare_runs(it, it, ["failed.change==0"]) for it in sources]
    return "".join(openmetrics_lines(changes))


def _series(text: str, *everywhere: str) -> Iterator[Row]:
    """Metrics as they are written, with the labels that not all of them have."""
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = dict.fromkeys(label for sample in family.samples for label in sample.labels)
        own = (f"`{it}`" for it in labels if it not in {"url", "method", *everywhere})
        yield f"`{name}`", ", ".join(own), family.documentation.removesuffix(".")
