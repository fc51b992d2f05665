"""What results are written to, besides the screen: `--json`, `--csv` and the others.

One table: a row says what an exporter's option is called, and what makes its lines.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeAlias

from keepalive_bench.cli import renderers
from keepalive_bench.cli.output_file import open_output, target_of
from keepalive_bench.cli.renderers import Changes, ProbeChanges
from keepalive_bench.cli.screen import STDOUT
from keepalive_bench.errors import UsageError
from keepalive_bench.places.report import Places
from keepalive_bench.plan.options import Example, Option
from keepalive_bench.probe.report import ProbeReport
from keepalive_bench.trace.report import TraceReport
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from keepalive_bench.plan.options import Asked, Group, Source
    from keepalive_bench.report import Report

    Results: TypeAlias = "Report | Changes | ProbeChanges | TraceReport | Places | ProbeReport"


@dataclass(frozen=True, kw_only=True, eq=False)
class Exporter(Option[str]):
    """A format that results are written in, as the option that asks for it."""

    parse: Callable[[Any], str] = str
    source: Source = "path"
    group: Group | None = "Output"
    writes: str
    """What docs/exports.md says of it, in Markdown."""
    readers: str
    """Who reads it, the same."""
    of_run: Callable[[Report], Iterable[str]]
    """The lines that `kab run`, `sweep` and `report` write."""
    of_changes: Callable[[Changes | ProbeChanges], Iterable[str]] | None = None
    """The lines that `kab compare` writes; `None`: it doesn't have it."""
    changes_help: str = ""
    """Its help there, where that has other words."""
    of_trace: Callable[[TraceReport], Iterable[str]] | None = None
    """The lines that `kab trace` writes; `None`: it doesn't have it."""
    trace_help: str = ""
    """Its help there, where that has other words."""
    trace_more: str = ""
    """What else there is to know there."""
    of_places: Callable[[Places], Iterable[str]] | None = None
    """The lines that `kab places` writes; `None`: it doesn't have it."""
    places_help: str = ""
    """Its help there, where that has other words."""
    of_probe: Callable[[ProbeReport], Iterable[str]] | None = None
    """The lines that `kab probe` writes; `None`: it doesn't have it."""
    probe_help: str = ""
    """Its help there, where that has other words."""
    probe_more: str = ""
    """What else there is to know there."""

    def lines(self, of: Results) -> Iterable[str]:
        """What it writes of results that it is for."""
        if isinstance(of, Changes | ProbeChanges):
            return self.of_changes(of) if self.of_changes else ()
        if isinstance(of, TraceReport):
            return self.of_trace(of) if self.of_trace else ()
        if isinstance(of, Places):
            return self.of_places(of) if self.of_places else ()
        if isinstance(of, ProbeReport):
            return self.of_probe(of) if self.of_probe else ()
        return self.of_run(of)


EXPORTERS = (
    Exporter(
        spelling="--json FILE",
        help="Write everything as JSON; - is standard output.",
        more="A name that ends with .gz is compressed. kab report reads it again.",
        example=Example("--json {written}", '"schema_version": ', "written"),
        writes="everything: [the results file](json-format.md), the only one that can be read back",
        readers="`kab report`, jq, programs",
        of_run=renderers.json_of_run,
        of_places=renderers.json_of_places,
        of_changes=renderers.json_of_changes,
        of_trace=renderers.json_of_trace,
        of_probe=renderers.json_of_probe,
        probe_more="A name that ends with .gz is compressed. kab compare reads it again.",
        trace_more="A name that ends with .gz is compressed.",
    ),
    Exporter(
        spelling="--csv FILE",
        help="Write a row for each exchange.",
        example=Example("--csv {written}", "\r\n", "written"),
        writes="[a row for each exchange](#--csv-a-row-for-each-exchange)",
        readers="spreadsheets, pandas, R",
        of_run=renderers.csv_of_run,
        of_places=renderers.csv_of_places,
        places_help="Write a row for each arm of each place.",
        of_changes=renderers.csv_of_changes,
        changes_help="Write a row for each number that all the runs have.",
        of_probe=renderers.csv_of_probe,
        probe_help="Write a row for each connection.",
    ),
    Exporter(
        spelling="--markdown FILE",
        help="Write the report as GitHub's Markdown.",
        example=Example("--markdown {written}", "## ", "written"),
        writes="[the report](#--markdown-the-report), verdict first",
        readers="a job's summary, a comment",
        of_run=renderers.markdown_of_run,
        of_places=renderers.markdown_of_places,
        of_changes=renderers.markdown_of_changes,
        of_trace=renderers.markdown_of_trace,
        of_probe=renderers.markdown_of_probe,
    ),
    Exporter(
        spelling="--junit FILE",
        help="Write requirements as test cases (JUnit's XML).",
        example=Example("--junit {written}", "</testsuite>", "written"),
        writes="[each requirement as a test case](#--junit-each-requirement-a-test-case)",
        readers="CI systems",
        of_run=renderers.junit_of_run,
        of_places=renderers.junit_of_places,
        of_changes=renderers.junit_of_changes,
        of_trace=renderers.junit_of_trace,
        of_probe=renderers.junit_of_probe,
    ),
    Exporter(
        spelling="--openmetrics FILE",
        help="Write metrics for Prometheus's node exporter.",
        example=Example("--openmetrics {written}", "# EOF", "written"),
        writes="[metrics](#--openmetrics-metrics)",
        readers="a node exporter's textfile collector",
        of_run=renderers.openmetrics_of_run,
        of_places=renderers.openmetrics_of_places,
        of_changes=renderers.openmetrics_of_changes,
        of_probe=renderers.openmetrics_of_probe,
    ),
    Exporter(
        spelling="--html FILE",
        help="Write a page with charts, in one file.",
        example=Example("--html {written}", "<!DOCTYPE html>", "written"),
        writes="[a page with charts](page.md), in one file that needs nothing else",
        readers="people",
        of_run=renderers.html_of_run,
        of_places=renderers.html_of_places,
        of_changes=renderers.html_of_changes,
        of_trace=renderers.html_of_trace,
        of_probe=renderers.html_of_probe,
        probe_help="Write a page with the time line, in one file.",
        changes_help="Write a page of tables, in one file.",
    ),
)
OF_CHANGES = tuple(
    replace(it, help=it.changes_help or it.help) for it in EXPORTERS if it.of_changes
)
"""Those that `kab compare` has."""
OF_TRACE = tuple(
    replace(it, help=it.trace_help or it.help, more=it.trace_more)
    for it in EXPORTERS
    if it.of_trace
)
"""Those that `kab trace` has."""


OF_PLACES = tuple(
    replace(it, help=it.places_help or it.help, more="") for it in EXPORTERS if it.of_places
)
"""Those that `kab places` has."""
OF_PROBE = tuple(
    replace(it, help=it.probe_help or it.help, more=it.probe_more)
    for it in EXPORTERS
    if it.of_probe
)
"""Those that `kab probe` has."""


def wanted(asked: Asked) -> dict[Exporter, str]:
    """The file of each exporter that was asked for.

    Raises:
        UsageError: two of them go to the same place.
    """
    paths = {it: path for it in EXPORTERS if (path := asked[it]) is not None}
    for (one, path), (other, taken) in combinations(paths.items(), 2):
        if _same(path, taken):
            place = "standard output" if path == STDOUT else filename(taken)
            raise UsageError(
                f"{one.flag} and {other.flag} can't both go to {place}: "
                "give one of them a file of its own."
            )
    return paths


def _same(one: str, other: str) -> bool:
    if STDOUT in {one, other}:
        return one == other
    target = target_of(one)
    return target == target_of(other) and (target.is_file() or not target.exists())


class _OpenFile(NamedTuple):
    path: str
    exporter: Exporter
    stream: TextIO
    unfinished: ExitStack
    """Left without an error, it makes the file."""

    def written(self, results: Results) -> OSError | None:
        """Write it; what went wrong, if it did."""
        try:
            with self.unfinished:
                self.stream.writelines(self.exporter.lines(results))
        except OSError as error:
            error.filename = None if self.path == STDOUT else self.path
            return error
        return None


class Exports:
    """The files to write, open."""

    def __init__(self, files: Iterable[_OpenFile]) -> None:
        self._files = tuple(files)

    def write(self, results: Results) -> None:
        """Write them all, each whole or not at all; one that can't be is no harm to the others.

        Raises:
            OSError: the first that could not be written.
        """
        errors = [error for file in self._files if (error := file.written(results))]
        if errors:
            raise errors[0]


@contextmanager
def opened(paths: Mapping[Exporter, str]) -> Iterator[Exports]:
    """Open all files at once; those not written when the block ends are not made.

    Raises:
        UsageError: one can't be written.
    """
    with ExitStack() as stack:
        files = []
        for exporter, path in paths.items():
            unfinished = stack.enter_context(ExitStack())
            stream = unfinished.enter_context(open_output(path))
            files.append(_OpenFile(path, exporter, stream, unfinished))
        yield Exports(files)
