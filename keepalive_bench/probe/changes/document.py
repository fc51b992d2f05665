"""What changed between probes, for programs: JSON, CSV and OpenMetrics (docs/probe.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.probe.changes import NumberChange, ProbeVerdict, relative
from keepalive_bench.report.document import requirement_document
from keepalive_bench.report.openmetrics import (
    Family,
    Sample,
    estimate_samples,
    exposition_lines,
    status_samples,
)
from keepalive_bench.report.rows_csv import table_lines
from keepalive_bench.report.schema import array_of, requirement_schema, schema_head
from keepalive_bench.typed_json import Schema, object_schema, schema_of, to_json
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.probe.changes import ProbeChange, ProbeSource

KIND, SCHEMA_VERSION = "probe-comparison", 1
_COLUMNS = (
    *("base", "new", "name", "base_value", "base_low", "base_high"),
    *("new_value", "new_low", "new_high", "way"),
)


class ComparedProbe(NamedTuple):
    """A probe in the document."""

    file: str
    """What it was read from."""
    url: str
    started_at: str
    sentence: str
    """Its answer."""


def json_lines(changes: Sequence[ProbeChange]) -> Iterator[str]:
    """The file's lines: all comparisons with the same base."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "base": to_json(_probe(changes[0].base)),
        "changes": [
            {
                "new": to_json(_probe(it.new)),
                "forced": it.forced,
                "verdict": to_json(it.verdict),
                "numbers": to_json(it.numbers),
                "requirements": [requirement_document(each) for each in it.requirements],
            }
            for it in changes
        ],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    yield f"{json_in_log(text)}\n"


def _probe(it: ProbeSource) -> ComparedProbe:
    record = it.probed.record
    return ComparedProbe(it.name, record.asked.url, record.info.started_at, it.probed.sentence)


def probe_comparison_schema() -> Schema:
    """What `kab compare --json FILE` writes of probes."""
    change = {
        "new": schema_of(ComparedProbe),
        "forced": schema_of(bool),
        "verdict": schema_of(ProbeVerdict),
        "numbers": array_of(schema_of(NumberChange)),
        "requirements": array_of(requirement_schema()),
    }
    return {
        **schema_head(KIND, SCHEMA_VERSION, "What changed between probes", "docs/probe.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": KIND},
                "base": schema_of(ComparedProbe),
                "changes": {**array_of(object_schema(change)), "minItems": 1},
            }
        ),
    }


def csv_lines(changes: Sequence[ProbeChange]) -> Iterator[str]:
    """The header, and a line for each number."""
    rows = (
        (change.base.name, change.new.name, it.name, *it.base, *it.new, it.way)
        for change in changes
        for it in change.numbers
    )
    yield from table_lines(_COLUMNS, rows)


def openmetrics_lines(changes: Sequence[ProbeChange]) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    return exposition_lines(_families(changes), {"base": changes[0].base.name})


def _families(changes: Sequence[ProbeChange]) -> Iterator[Family]:
    verdicts, statuses = list[Sample](), list[Sample]()
    ratios, counts = list[Sample](), list[Sample]()
    for change in changes:
        new = {"new": change.new.name}
        verdicts.append(Sample(1, {**new, "code": change.verdict.code}))
        statuses += status_samples(new, change.requirements)
        for it in change.numbers:
            found = relative(it)
            to = ratios if it.unit == "seconds" else counts
            to += estimate_samples({**new, "number": it.name}, found)
    yield Family("kab_compare_probe_verdict", "The verdict's code.", verdicts)
    yield Family("kab_compare_probe_requirement", "Requirements, 1 by status.", statuses)
    yield Family("kab_compare_probe_change", "A time: new / base - 1, with its ends.", ratios)
    yield Family("kab_compare_probe_difference", "A count: new - base, with its ends.", counts)
