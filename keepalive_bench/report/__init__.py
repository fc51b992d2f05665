"""Analysis → text: the one document, and the words once, set in every dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.report.page.markup import Chart
    from keepalive_bench.report.table import Table
    from keepalive_bench.results.run import Run


class Swept(NamedTuple):
    """What a report of a sweep shows where another compares arms."""

    tables: tuple[Table, ...]
    """Of the same values: a terminal sets them side by side where it has room for that."""
    chart: Chart
    is_answered: bool
    """Whether a value can be recommended."""


class Report(NamedTuple):
    """What a report is about."""

    run: Run
    analysis: Analysis
    strict: bool = False
    """Whether what is undecided of the requirements counts as missed."""
    swept: Swept | None = None
    """`None`: the run is no sweep."""
