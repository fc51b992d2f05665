"""Write what is derived from the code (`make docs`): pages, tables, JSON Schemas, and screens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from documents import (
    command_line,
    curl,
    exports,
    findings,
    man_page,
    members,
    metrics,
    places,
    probes,
    products,
    trace,
    verticals,
)
from documents.tables import DOCS
from support.screens import screens

from keepalive_bench.compare.document import comparison_schema
from keepalive_bench.places.document import places_schema
from keepalive_bench.probe.document import probe_schema
from keepalive_bench.report.schema import results_schema
from keepalive_bench.trace.document import trace_schema

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = DOCS.parent / "keepalive_bench"
SOURCES = (curl, exports, findings, members, metrics, places, probes, products, trace, verticals)
"""Each has parts of pages."""
SCHEMAS = {
    PACKAGE / "report" / "results.schema.json": results_schema,
    PACKAGE / "compare" / "comparison.schema.json": comparison_schema,
    PACKAGE / "trace" / "trace.schema.json": trace_schema,
    PACKAGE / "places" / "places.schema.json": places_schema,
    PACKAGE / "probe" / "probe.schema.json": probe_schema,
}


def derived() -> dict[Path, str]:
    """The files, and their text as it should be; what a page has besides its parts is kept."""
    texts = {DOCS / "cli.md": command_line.page(), DOCS / "kab.1": man_page.page(), **screens()}
    for path, schema in SCHEMAS.items():
        texts[path] = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    for source in SOURCES:
        for part in source.parts():
            text = texts.get(part.path) or part.path.read_text(encoding="utf-8")
            texts[part.path] = part.within(text)
    return texts


if __name__ == "__main__":
    for path, text in derived().items():
        path.write_text(text, encoding="utf-8")
