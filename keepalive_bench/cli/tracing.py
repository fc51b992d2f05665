"""From a program, or its records, to a shown report of how it used its connections."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.output_file import (
    discard_drafts,
    discard_with_drafts,
    open_output,
    target_of,
)
from keepalive_bench.cli.screen import STDOUT, Screen
from keepalive_bench.errors import ExitCode, KabError, UsageError, limit_reached
from keepalive_bench.report.requirements import worst
from keepalive_bench.trace.analysis import analyse
from keepalive_bench.trace.program import run
from keepalive_bench.trace.program.ending import end_likewise, finish
from keepalive_bench.trace.program.folder import holds_records, running
from keepalive_bench.trace.program.starting import environment
from keepalive_bench.trace.reading import read
from keepalive_bench.trace.report import TraceReport
from keepalive_bench.trace.report.terminal import terminal_parts
from keepalive_bench.trace.requirements import check_usage
from keepalive_bench.units import clipped, filename, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.trace.program.folder import Folder


class Wanted(NamedTuple):
    """What is wanted of a report."""

    asked: Asked
    requirements: Sequence[Requirement]
    strict: bool
    text: str | None
    """The file that it is to be shown in."""

    def exports(self) -> dict[exports.Exporter, str]:
        """The files to write, besides.

        Raises:
            UsageError: two are to go to the same place.
        """
        others = exports.wanted(self.asked)
        for exporter, path in others.items():
            if self.text is not None and target_of(path) == target_of(self.text):
                raise UsageError(
                    f"{exporter.flag} and --report can't both go to {filename(path)}: give one of "
                    "them a file of its own."
                )
        return others


def traced(words: tuple[str, ...], folder: Folder, most_bytes: int, wanted: Wanted) -> int:
    """Run a program, and report; the exit code. What goes wrong with the report is only told."""
    status: int | None = None
    code = 0
    if not folder.is_kept:
        discard_with_drafts(Path(folder.path))
    try:
        with exports.opened(wanted.exports()) as files, ExitStack() as unfinished:
            file = unfinished.enter_context(open_output(wanted.text)) if wanted.text else None
            status = code = run(words, environment(folder.path, most_bytes))
            finish(partial(_leave, status))
            report = _report(folder.path, wanted)
            if status == 0 and _is_missed(report):
                code = ExitCode.REQUIREMENT_MISSED
            shown = Screen({STDOUT}, wanted.asked, file=file)
            try:
                with _of_file(wanted.text), unfinished:
                    _begin(shown)
                    _show(report, shown)
            finally:
                files.write(report)
            _tell_of_processes(folder, shown)
    except Exception as error:
        if status is None:  # it didn't start
            raise
        folder.is_kept = True
        _tell(f"Error: {_why(error)} The records are kept: kab trace --read {folder.path}")
    finally:
        folder.discard()
    return end_likewise(code)


def reported(folder: str, wanted: Wanted) -> int:
    """Report what a folder of records holds; the exit code.

    Raises:
        UsageError: there is no such folder, or it holds something else.
    """
    paths = wanted.exports()
    if not holds_records(Path(folder)):
        raise UsageError(f"{filename(folder)} holds no records of kab trace (--read).")
    report = _report(folder, wanted)
    with exports.opened(paths) as files, ExitStack() as unfinished:
        file = unfinished.enter_context(open_output(wanted.text)) if wanted.text else None
        shown = Screen(paths.values(), wanted.asked, file=file)
        try:
            files.write(report)
        finally:
            with _of_file(wanted.text), unfinished:
                _show(report, shown)
    return shown.code(ExitCode.REQUIREMENT_MISSED if _is_missed(report) else ExitCode.MEASURED)


@contextmanager
def _of_file(path: str | None) -> Iterator[None]:
    """Let an error say which file it is about; what standard streams raise says so itself."""
    try:
        yield
    except OSError as error:
        error.filename = path
        raise


def _report(folder: str, wanted: Wanted) -> TraceReport:
    usage, here = analyse(read(Path(folder))), ""
    with suppress(OSError):  # the program may have removed it
        here = str(Path.cwd())
    checked = tuple(check_usage(it, usage, here) for it in wanted.requirements)
    return TraceReport(usage, checked, wanted.strict, here)


def _is_missed(report: TraceReport) -> bool:
    return worst(report.requirements, strict=report.strict) == "missed"


def _show(report: TraceReport, shown: Screen) -> None:
    shown.show(
        terminal_parts(
            report, shown.out.width, plain_ascii=shown.plain_ascii, verbose=shown.verbose
        )
    )
    if shown.annotating:
        from keepalive_bench.trace.report.dialects import annotation_lines  # noqa: PLC0415  # where it's asked for

        shown.annotate(annotation_lines(report))


def _begin(shown: Screen) -> None:
    """Part the report from what the program has written on the same terminal."""
    if shown.out is shown.err and shown.out.is_terminal:
        shown.out.print()


def _tell_of_processes(folder: Folder, shown: Screen) -> None:
    count = running(folder.path)
    if count:
        are = "1 process is" if count == 1 else f"{count:,} processes are"
        how = "kab trace --read tells" if folder.is_kept else "--records and --read would tell"
        shown.remark(f"{are} still running: {how} what comes from here on.")


def _why(error: Exception) -> str:
    """Why there is no report, or not all of it, in a sentence."""
    if isinstance(error, KabError):
        return f"{error}"
    reached = limit_reached(error)
    if reached:
        return f"The report can't be made, because {reached}."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{filename(error.filename)} can't be written: {error.strerror}."
    if isinstance(error, OSError):
        return f"The report can't be written: {error.strerror}."
    return f"kab failed to report: {type(error).__name__}: {clipped(str(error))}."


def _tell(sentence: str) -> None:
    with suppress(OSError):
        click.echo(printable(sentence), err=True)


def _leave(status: int) -> NoReturn:
    """End at once, as the program did."""
    discard_drafts()
    os._exit(end_likewise(status))
