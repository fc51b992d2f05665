"""The tables of docs/exports.md: exporters, columns of CSV, and metrics as they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from documents.tables import PagePart, table
from support.exports import everything, written

from keepalive_bench.cli.exports import EXPORTERS
from keepalive_bench.report.rows_csv import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

SERIES_HEAD = ("metric", "type", "further labels", "meaning")
_PAGE = "exports.md"
_EVERYWHERE = ("url", "method", "arm", "arm_kind")


def parts() -> Iterator[PagePart]:
    """All of the page's that aren't prose."""
    exporters = ((f"`{it.spelling}`", it.writes, it.readers) for it in EXPORTERS)
    yield table(_PAGE, "exporters", ("option", "writes", "for"), exporters)
    columns = (
        (f"`{name}`", meaning.replace("`plan.rate`", "`--rate`"), empty.replace("plan.", "--"))
        for name, (meaning, empty) in COLUMNS.items()
    )
    yield table(_PAGE, "columns", ("column", "meaning", "empty when"), columns)
    yield table(_PAGE, "series", SERIES_HEAD, series(written("openmetrics", everything())))


def series(text: str, *further: str) -> Iterator[tuple[str, ...]]:
    """What each metric in a text is called, its type, its labels but for common ones, its meaning.

    `further`: labels that are common in this text, beside those of every run's metrics.
    """
    for name, kind, labels, meaning in labelled(text):
        others = (f"`{it}`" for it in labels if it not in {*_EVERYWHERE, *further})
        yield name, kind, ", ".join(others), meaning


def labelled(text: str) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """What each metric in a text is called, its type, all of its labels, and its meaning."""
    for family in re.split(r"(?m)^# HELP ", text)[1:]:
        told, type_line, *samples = family.splitlines()
        name, _, meaning = told.partition(" ")
        labels = dict.fromkeys(it for line in samples for it in re.findall(r'[{,](\w+)="', line))
        yield f"`{name}`", type_line.split()[-1], tuple(labels), meaning.rstrip(".")
