"""From a plan to a shown result, as every measuring command does it."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rich.console import Console

from keepalive_bench.cli.outlet import Outlet
from keepalive_bench.cli.output_file import STDOUT
from keepalive_bench.engine.benchmark import benchmark
from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.errors import ExitCode
from keepalive_bench.outcome import analyse
from keepalive_bench.report import terminal
from keepalive_bench.report.failed_run import nothing_measured
from keepalive_bench.report.plain import for_terminal
from keepalive_bench.report.progress import ProgressBar
from keepalive_bench.report.requirements import STYLES, demand, in_order, status, summary, worst
from keepalive_bench.report.verbose import connection_line, exchange_line
from keepalive_bench.requirements import undecidable
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import TextIO

    from rich.console import RenderableType

    from keepalive_bench.analysis.analysis import Analysis, Checked
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.exchange import Exchange
    from keepalive_bench.results.run import Run


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Where results and remarks go."""

    out: Console
    err: Console
    quiet: bool = False
    verbose: bool = False

    @property
    def is_for_remarks(self) -> bool:
        """Whether results go to standard output, so that nothing but remarks is shown."""
        return self.out is self.err

    def code(self, code: ExitCode) -> ExitCode:
        """The exit code, given what a command came to: a report that got lost is a result, too."""
        error = self.out.file.error if isinstance(self.out.file, Outlet) else None
        if error is None or self.is_for_remarks:
            return code
        if not isinstance(error, BrokenPipeError):  # otherwise, whoever read it has gone
            what = "Error: Standard output can't be written"
            self.err.print(f"{what}: {error.strerror}.", soft_wrap=True)
        return ExitCode.first_of((code, ExitCode.NOTHING_MEASURED))


def screen(
    wanted: Collection[str], *, color: bool, quiet: bool = False, verbose: bool = False
) -> Screen:
    """The terminal, beside the files that are wanted.

    Where standard output is one of them, all else goes to standard error. Where there are others,
    standard output may go away in the meantime, and `Screen.code` tells. Where there is none,
    printing raises an OSError: there is nothing to go on for.
    """
    err = _console(Outlet(sys.stderr), color=color)
    if STDOUT in wanted:
        return Screen(out=err, err=err, quiet=quiet, verbose=verbose)
    out = _console(Outlet(sys.stdout) if wanted else sys.stdout, color=color)
    return Screen(out=out, err=err, quiet=quiet, verbose=verbose)


def _console(stream: TextIO | Outlet, *, color: bool) -> Console:
    plain = not color or bool(os.environ.get("NO_COLOR"))
    return Console(
        file=cast("TextIO", stream),  # as far as Rich looks
        color_system=None if plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def announce(plan: Plan, shown: Screen) -> None:
    """What has to be said before anything is sent."""
    ends = (("server's", plan.target), ("proxy's", plan.network.proxy))
    secured = [name for name, url in ends if url is not None and url.scheme == "https"]
    if not plan.tls.verify and secured:
        whose = " and the ".join(secured)
        shown.err.print(f"Warning: the {whose} certificate is not checked (--insecure).")
    if not plan.request.is_safe:
        url = printable(plan.target.shown)
        shown.err.print(f"{_extent(plan)} will be sent to {url}, warm-ups included.")
    for sentence in undecidable(plan):
        shown.err.print(f"Warning: {sentence}", soft_wrap=True)


def _extent(plan: Plan) -> str:
    """How many requests a plan is about to send."""
    experiment, noun = plan.experiment, f"{plan.request.method} request"
    if not experiment.is_limited and experiment.duration_s is not None:
        return f"{noun}s of {duration(experiment.duration_s)}"
    most = "At most " if experiment.may_end_early else ""
    return f"{most}{plural(experiment.total_requests, noun)}"


@contextmanager
def deferred_interrupts() -> Iterator[Interrupts]:
    """Hand it to `measure`: until it is left, Ctrl-C loses nothing that was measured."""
    interrupts = Interrupts(overruled=True)
    try:
        yield interrupts
    finally:
        interrupts.give_back()


def measure(plan: Plan, shown: Screen, interrupts: Interrupts | None = None) -> Run:
    """Carry out a plan, with a progress bar or a line for each response as asked."""

    def warn(sentence: str) -> None:
        shown.err.print(f"Warning: {sentence}", soft_wrap=True)

    with ExitStack() as stack:
        run = benchmark(plan, _callback(plan, shown, stack), interrupts, warn)
    if shown.verbose and plan.experiment.processes > 1:  # before, connections had no numbers
        show_exchanges(run, shown, interrupts)
    return run


def _callback(plan: Plan, shown: Screen, stack: ExitStack) -> Callable[[Exchange], None] | None:
    if shown.verbose and plan.experiment.processes == 1:
        return lambda exchange: shown.out.print(exchange_line(plan, exchange), soft_wrap=True)
    if shown.err.is_terminal and not shown.quiet and not shown.verbose:
        experiment = plan.experiment
        total = experiment.requests * len(experiment.arms) if experiment.is_limited else None
        return stack.enter_context(ProgressBar(shown.err, total)).advance
    return None


def show(
    analysis: Analysis, shown: Screen, plotted: Run | None = None, *, strict: bool = False
) -> None:
    """Print the report, with the histograms of a run if there is one; or why there is none.

    Then how requirements stand is an error, too: what counts requests may be met or missed.
    """
    if analysis.has_answers:
        plain_ascii = not shown.out.encoding.lower().startswith("utf")
        width = shown.out.width
        report = terminal.report(
            analysis, width, plotted=plotted, plain_ascii=plain_ascii, strict=strict
        )
        show_text(report, shown)
    else:
        shown.err.print(f"Error: {nothing_measured(analysis)}", soft_wrap=True)
        _print_requirements(analysis.requirements, shown.err, strict=strict)


def show_text(report: RenderableType, shown: Screen) -> None:
    """Print what Rich has set, in the characters that the terminal has."""
    plain_ascii = not shown.out.encoding.lower().startswith("utf")
    with shown.out.capture() as captured:
        shown.out.print(report)
    for line in captured.get().splitlines():  # Rich fills lines up with blanks
        shown.out.file.write(f"{for_terminal(line, plain_ascii=plain_ascii).rstrip()}\n")


def show_exchanges(run: Run, shown: Screen, interrupts: Interrupts | None = None) -> None:
    """Print a line for each response of a run that is over; Ctrl-C ends the list."""
    for exchange in run.exchanges:
        if interrupts is not None and interrupts.drain():
            return
        shown.out.print(exchange_line(run.plan, exchange), soft_wrap=True)


def show_connections(
    run: Run, analysis: Analysis, shown: Screen, interrupts: Interrupts | None = None
) -> None:
    """Print a line for each connection; Ctrl-C ends the list."""
    for arm in analysis.arms:
        for row, reason in arm.reasons.items():
            if interrupts is not None and interrupts.drain():
                return
            shown.out.print(connection_line(run.connections, row, reason), soft_wrap=True)


def show_requirements(requirements: Sequence[Checked], shown: Screen, *, strict: bool) -> None:
    """Print how each requirement stands, the worst first, where the report isn't shown."""
    _print_requirements(requirements, shown.out, strict=strict)


def _print_requirements(requirements: Sequence[Checked], to: Console, *, strict: bool) -> None:
    leading = worst(requirements, strict=strict)
    if leading is None:
        return
    plain_ascii = not to.encoding.lower().startswith("utf")
    lines = [
        (f"{status(it, plain_ascii=plain_ascii)}  {demand(it)}", STYLES[it.status])
        for it in in_order(requirements)
    ]
    for line, style in (*lines, (summary(requirements, strict=strict), STYLES[leading])):
        to.print(for_terminal(line, plain_ascii=plain_ascii), style=style, soft_wrap=True)


def exit_code(analysis: Analysis, *, strict: bool = False) -> ExitCode:
    """The first that applies; `strict` takes an undecided requirement for a missed one."""
    arms = analysis.arms
    if analysis.run_info.interrupted:
        return ExitCode.INTERRUPTED
    if not analysis.has_answers:
        return ExitCode.NOTHING_MEASURED
    statuses = {checked.status for checked in analysis.requirements}
    if "missed" in statuses or (strict and "undecided" in statuses):
        return ExitCode.REQUIREMENT_MISSED
    if analysis.run_info.lost or any(arm.succeeded < arm.requests for arm in arms):
        return ExitCode.PARTLY_MEASURED
    return ExitCode.MEASURED


__all__ = [
    "Screen",
    "analyse",
    "announce",
    "deferred_interrupts",
    "exit_code",
    "measure",
    "screen",
    "show",
    "show_connections",
    "show_exchanges",
    "show_requirements",
    "show_text",
]
