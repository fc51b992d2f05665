"""What a run is written to, besides the screen: `--json`, `--csv` and the others.

One table, many dialects: an exporter makes lines of a run and what it comes to.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from keepalive_bench.cli import completion
from keepalive_bench.cli.output_file import STDOUT, open_output, target_of
from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.results.run import Run

    Exporter = Callable[..., Iterable[str]]

_Command = TypeVar("_Command", bound="Callable[..., Any]")
_WHAT = {
    "json": "Write everything as JSON.",
    "csv": "Write a row for each exchange.",
    "markdown": "Write the report as GitHub's Markdown.",
    "junit": "Write the requirements as test cases, in JUnit's XML.",
    "openmetrics": "Write metrics for a node exporter's textfile collector.",
    "html": "Write a page with charts, in one file.",
}
DIALECTS = tuple(_WHAT)
_WITH_STANDINGS = {"markdown", "junit", "html"}
"""Those that say what undecided requirements are taken for."""


def _json_lines(run: Run, analysis: Analysis) -> Iterator[str]:
    lines = late("results.file", "document_lines")
    derived = late("report.document", "derived_document")
    yield from lines(run, derived(analysis))


def late(home: str, name: str) -> Callable[..., Any]:
    """A function that is imported when it is called: neither `--help` nor a shell needs it."""

    def function(*given: object, **named: object) -> object:
        return getattr(import_module(f"keepalive_bench.{home}"), name)(*given, **named)

    return function


EXPORTERS: dict[str, Exporter] = {
    "json": _json_lines,
    "csv": late("report.rows_csv", "csv_lines"),
    "markdown": late("report.markdown", "markdown_lines"),
    "junit": late("report.junit", "junit_lines"),
    "openmetrics": late("report.openmetrics", "openmetrics_lines"),
    "html": late("report.webpage", "page_lines"),
}


def export_options(command: _Command, **other_words: str) -> _Command:
    """Add an option for each dialect; `wanted` takes them. Its help may have other words."""
    for dialect in reversed(DIALECTS):
        where = "  - is stdout; .gz compresses." if dialect == DIALECTS[0] else ""
        help_text = {**_WHAT, **other_words}[dialect] + where
        command = click.option(
            f"--{dialect}", metavar="FILE", shell_complete=completion.files, help=help_text
        )(command)
    return command


def wanted(given: Mapping[str, Any]) -> dict[str, str]:
    """The file of each dialect that was asked for.

    Raises:
        UsageError: two of them go to the same place.
    """
    paths: dict[str, str] = {}
    for dialect in DIALECTS:
        path = given[dialect]
        if path is not None:
            for other, taken in paths.items():
                if _same(path, taken):
                    place = "standard output" if path == STDOUT else filename(path)
                    raise UsageError(
                        f"--{other} and --{dialect} can't both go to {place}: "
                        "give one of them a file of its own."
                    )
            paths[dialect] = path
    return paths


def _same(one: str, other: str) -> bool:
    if STDOUT in {one, other}:
        return one == other
    target = target_of(one)
    return target == target_of(other) and (target.is_file() or not target.exists())


@dataclass(frozen=True, kw_only=True)
class _File:
    path: str
    exporter: Exporter
    stream: TextIO
    unfinished: ExitStack
    """Left without an error, it makes the file."""


@dataclass(frozen=True)
class Exports:
    """The files to write, open."""

    files: tuple[_File, ...]

    def write(self, *results: object) -> None:
        """Write them all, each whole or not at all; one that can't be is no harm to the others.

        `results` is what the exporters take: a run and its analysis.

        Raises:
            OSError: the first that could not be written.
        """
        errors = [error for file in self.files if (error := _written(file, results))]
        if errors:
            raise errors[0]


def _written(file: _File, results: tuple[object, ...]) -> OSError | None:
    """Write a file; what went wrong, if it did."""
    try:
        with file.unfinished:
            file.stream.writelines(file.exporter(*results))
    except OSError as error:
        error.filename = None if file.path == STDOUT else file.path
        return error
    return None


@contextmanager
def opened(
    paths: Mapping[str, str], *, strict: bool = False, exporters: Mapping[str, Exporter] = EXPORTERS
) -> Iterator[Exports]:
    """Open all files at once; those that are not written when the block ends are not made.

    `strict`: what is undecided of the requirements counts as missed.

    Raises:
        UsageError: one can't be written.
    """
    with ExitStack() as stack:
        files = []
        for dialect, path in paths.items():
            unfinished = stack.enter_context(ExitStack())
            stream = unfinished.enter_context(open_output(path))
            exporter = exporters[dialect]
            if dialect in _WITH_STANDINGS:
                exporter = partial(exporter, strict=strict)
            files.append(_File(path=path, exporter=exporter, stream=stream, unfinished=unfinished))
        yield Exports(tuple(files))
