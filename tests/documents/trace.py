"""What is derived of docs/trace.md: what requirements can be about, columns, and members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.members import members, rows_of
from documents.tables import MEMBERS_HEAD, PagePart, names_cell, table

from keepalive_bench.analysis import Checked, Requirement
from keepalive_bench.cli.exports import OF_TRACE
from keepalive_bench.trace.document import SCHEMA_VERSION
from keepalive_bench.trace.metrics import ORIGIN_METRICS
from keepalive_bench.trace.requirements import trace_scopes
from keepalive_bench.trace.usage import ConnectionUsage, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from documents.members import Member
    from documents.tables import Row

_PAGE = "trace.md"
_ABOUT = "[What it is about](#requirements)"
_OF = {"": "the program", "origins": "an origin"}


def parts() -> Iterator[PagePart]:
    """All of the page's that isn't prose, and what docs/exports.md says of `kab trace`."""
    yield table(_PAGE, "names", ("name", "of", "meaning", "unknown where"), _names())
    columns = ((f"`{it.title}`", it.meaning, it.shown) for it in ORIGIN_METRICS if it.title)
    yield table(_PAGE, "columns", ("column", "meaning", "shown"), columns)
    yield table(_PAGE, "members", MEMBERS_HEAD, rows_of(_members()))
    traced = ", ".join(f"`{it.flag}`" for it in OF_TRACE)
    yield PagePart("exports.md", "traced", f"`kab trace` has {traced}.")


def _names() -> Iterator[Row]:
    for scope in trace_scopes():
        for metric in scope.named:
            names = [[form] for form in scope.forms(metric)]
            yield names_cell(names), _OF[scope.part], metric.meaning, metric.lacking


def _members() -> Iterator[Member]:
    yield "schema_version", f"{SCHEMA_VERSION}", ""
    yield "kind", "`trace`", ""
    yield "kab", "The version of kab", ""
    yield from members(Usage, without={"connections"})
    requirement = "requirements[]."
    yield f"{requirement}selector", "Which origin it is about; empty: each", ""
    for path, meaning, none in members(Requirement, requirement):
        yield path, _ABOUT if path.endswith(".name") else meaning, none
    renamed: dict[str, Iterable[str]] = {"text": ["sentence"]}
    yield from members(Checked, requirement, without={"requirement", "because"}, renamed=renamed)
    yield f"{requirement}because[]", "The codes of the reasons that say why it isn't met", ""
    yield from members(ConnectionUsage, "connections[].")
