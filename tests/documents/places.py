"""What is derived of docs/places.md: requirements' names, members, columns and series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.exports import labelled
from documents.members import members, rows_of
from documents.tables import MEMBERS_HEAD, PagePart, names_cell, table
from support.exports import everything
from support.runs import paired_run

from keepalive_bench import analyse
from keepalive_bench.analysis import Checked, Requirement
from keepalive_bench.cli.exports import OF_PLACES
from keepalive_bench.places.comparison import side_by_side
from keepalive_bench.places.differences import Difference
from keepalive_bench.places.document import (
    COLUMNS,
    KIND,
    OF_RUNS,
    SCHEMA_VERSION,
    OwnMembers,
    openmetrics_lines,
)
from keepalive_bench.places.metrics import TOTAL_METRICS
from keepalive_bench.places.place import LostPlace, place_of
from keepalive_bench.places.requirements import place_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from documents.members import Member

_PAGE = "places.md"
_SERIES_HEAD = ("metric", "type", "labels", "meaning")


def parts() -> Iterator[PagePart]:
    """All of the page's that isn't prose, and what docs/exports.md says of `kab places`."""
    names = ((names_cell([[it.path]]), it.meaning, it.lacking) for it in TOTAL_METRICS)
    yield table(_PAGE, "names", ("name", "meaning", "unknown where"), names)
    yield table(_PAGE, "members", MEMBERS_HEAD, rows_of(_members()))
    columns = ((f"`{name}`", *said) for name, said in COLUMNS.items())
    yield table(_PAGE, "columns", ("column", "meaning", "empty when"), columns)
    series = (
        (name, kind, ", ".join(f"`{it}`" for it in labels), meaning)
        for name, kind, labels, meaning in labelled(_written())
    )
    yield table(_PAGE, "series", _SERIES_HEAD, series)
    flags = ", ".join(f"`{it.flag}`" for it in OF_PLACES)
    yield PagePart("exports.md", "places", f"`kab places` has {flags}.")


def _members() -> Iterator[Member]:
    yield "schema_version", f"{SCHEMA_VERSION}", ""
    yield "kind", f"`{KIND}`", ""
    yield "kab", "The version of kab", ""
    yield "sentence", "The answer, in a sentence or three", ""
    for metric in TOTAL_METRICS:
        yield metric.path.replace("total.", "totals."), metric.meaning, metric.lacking
    yield from members(LostPlace, "lost[].")
    yield from members(Difference, "differences[].")
    requirement = "requirements[]."
    yield f"{requirement}selector", "Which place it is about; empty: each, or all together", ""
    yield from members(Requirement, requirement)
    renamed: dict[str, Iterable[str]] = {"text": ["sentence"]}
    yield from members(Checked, requirement, without={"requirement", "because"}, renamed=renamed)
    yield f"{requirement}because[]", "The codes of the findings that say why it isn't met", ""
    yield from members(OwnMembers, "places[].")
    same = "[As in the file of its run](json-format.md)"
    yield from ((f"places[].{name}", same, "") for name in ("plan", "environment", *OF_RUNS))


def _written() -> str:
    """What is written of two places, with the rate that they would have if they had one."""
    runs = paired_run([0.01] * 8, [0.02] * 8), everything()
    requirements = place_requirements(["total.lost==0"], runs[0].plan.experiment.arms)
    places = [place_of(f"{it}", "", run, analyse(run)) for it, run in enumerate(runs)]
    found = side_by_side(places, (), requirements)
    totals = found.totals._replace(requests_per_second=1.0)
    return "".join(openmetrics_lines(found._replace(totals=totals)))
