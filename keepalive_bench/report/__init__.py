"""Analysis → text: the one document, and the words once, set in every dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.results.run import Run


class TextColumn(NamedTuple):
    """A heading, and a cell for each row."""

    heading: str
    cells: tuple[str, ...]
    style: str = ""
    """For a terminal, as Rich has it."""
    justify: Literal["left", "right"] = "right"
    """The same."""


Part = tuple[TextColumn, ...]
"""Columns that belong beside each other, as a figure and its interval."""


class TextTable(NamedTuple):
    """Text in rows and columns; what the rows are called is a column of its own."""

    title: str
    names: TextColumn
    """Indented where a row is a part of the one above."""
    groups: tuple[tuple[Part, ...], ...]
    """The columns, from left to right: parts that go together where there is room for it."""

    @property
    def columns(self) -> Part:
        """All but the names."""
        return tuple(column for group in self.groups for part in group for column in part)

    @property
    def headings(self) -> tuple[str, ...]:
        """Those of all columns."""
        return tuple(column.heading for column in (self.names, *self.columns))

    @property
    def rows(self) -> Iterator[tuple[str, ...]]:
        """The cells of each row, its name first."""
        return zip(self.names.cells, *(column.cells for column in self.columns), strict=True)

    def beside(self, *others: TextTable) -> TextTable:
        """It and others of the same rows as one."""
        return self._replace(groups=tuple(group for it in (self, *others) for group in it.groups))

    def with_columns(self, columns: Iterable[TextColumn]) -> TextTable:
        """The same rows with other columns, in one part."""
        return self._replace(groups=((tuple(columns),),))

    def without_empty_columns(self) -> TextTable:
        """The same without the columns that have nothing in any row."""
        groups = (
            tuple(tuple(column for column in part if any(column.cells)) for part in group)
            for group in self.groups
        )
        return self._replace(groups=tuple(groups))


class Chart(NamedTuple):
    """One chart with all that belongs to it."""

    content: list[Element]
    data: object = None
    """What the script draws; `None`: nothing."""


class Swept(NamedTuple):
    """What a report of a sweep shows where another compares arms."""

    tables: tuple[TextTable, ...]
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
