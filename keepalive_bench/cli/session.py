"""From a plan to a shown result, as every measuring command does it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from keepalive_bench.cli.waiting import followed
from keepalive_bench.engine.benchmark import benchmark
from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.errors import ExitCode
from keepalive_bench.outcome import analyse
from keepalive_bench.report import Report, terminal
from keepalive_bench.report.preamble import nothing_measured
from keepalive_bench.report.requirements import worst
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.cli.exports import Exports
    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run


def _announce(plan: Plan, shown: Screen) -> None:
    """What has to be said before anything is sent."""
    ends = (("server's", plan.target), ("proxy's", plan.network.proxy))
    secured = [name for name, url in ends if url is not None and url.scheme == "https"]
    if not plan.tls.verify and secured:
        whose = " and the ".join(secured)
        shown.remark(f"Warning: the {whose} certificate is not checked (--insecure).")
    if not plan.request.is_safe:
        url = printable(plan.target.shown)
        shown.remark(f"{_extent(plan)} will be sent to {url}, warm-ups included.")


def _extent(plan: Plan) -> str:
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


def carry_out(  # what a run is made of
    plan: Plan,
    shown: Screen,
    files: Exports,
    interrupts: Interrupts,
    *,
    strict: bool,
    plotted: bool = False,
) -> ExitCode:
    """Announce a plan, measure, write and show it; the exit code."""
    _announce(plan, shown)
    report = report_of(measure(plan, shown, interrupts), strict=strict)
    try:
        if shown.verbose:
            show_connections(report, shown, interrupts)
        files.write(report)
    finally:  # what was measured is shown though its file could not be written
        show(report, shown, plotted=plotted)
    return exit_code(report)


def measure(plan: Plan, shown: Screen, interrupts: Interrupts | None = None) -> Run:
    """Carry out a plan; whoever waits is shown how far it is."""
    with followed(plan, shown) as callback:
        run = benchmark(
            plan, callback, interrupts, lambda sentence: shown.remark(f"Warning: {sentence}")
        )
    if shown.verbose and plan.experiment.processes > 1:  # before, connections had no numbers
        show_exchanges(run, shown, interrupts)
    return run


def report_of(run: Run, analysis: Analysis | None = None, *, strict: bool = False) -> Report:
    """What there is to show and to write of a run, analysed if it isn't yet.

    `strict`: what is undecided of the requirements counts as missed.
    """
    analysis = analysis or analyse(run)
    swept = None
    if analysis.sweep is not None:
        from keepalive_bench.sweep import report  # noqa: PLC0415  # other runs do without

        swept = report.swept(analysis, analysis.sweep)
    return Report(run=run, analysis=analysis, strict=strict, swept=swept)


def show(report: Report, shown: Screen, *, plotted: bool) -> None:
    """Print a report, `plotted` with histograms; or why there is none.

    Where results go to standard output, only how the requirements stand. Where nothing was
    measured, that is an error, too: what counts requests may be met or missed.
    """
    analysis, strict = report.analysis, report.strict
    if not analysis.has_answers:
        shown.remark(f"Error: {nothing_measured(analysis)}")
        shown.show_requirements(analysis.requirements, strict=strict, missing=True)
    elif shown.is_for_remarks:
        shown.show_requirements(analysis.requirements, strict=strict)
    else:
        parts = terminal.report_parts(
            report,
            shown.out.width,
            plotted=plotted,
            plain_ascii=shown.plain_ascii,
            detailed=shown.verbose,
        )
        shown.show(parts)
    if shown.annotating:
        from keepalive_bench.report.github import annotation_lines  # noqa: PLC0415  # where it's asked for

        shown.annotate(annotation_lines(report))


def show_exchanges(run: Run, shown: Screen, interrupts: Interrupts | None = None) -> None:
    """Print a line for each response of a run that is over; Ctrl-C ends the list."""
    from keepalive_bench.report.verbose import exchange_line  # noqa: PLC0415  # with -v only

    shown.show_lines((exchange_line(run.plan, it) for it in run.exchanges), interrupts)


def show_connections(report: Report, shown: Screen, interrupts: Interrupts | None = None) -> None:
    """Print a line for each connection; Ctrl-C ends the list."""
    from keepalive_bench.report.verbose import connection_line  # noqa: PLC0415  # with -v only

    opened = (it for arm in report.analysis.arms for it in arm.reasons.items())
    lines = (connection_line(report.run.connections, row, reason) for row, reason in opened)
    shown.show_lines(lines, interrupts)


def exit_code(report: Report, *, stored: bool = False) -> ExitCode:
    """The first that applies; of a `stored` run, 130 would say that it is shown in part only."""
    analysis = report.analysis
    if analysis.run_info.interrupted and not stored:
        return ExitCode.INTERRUPTED
    if not analysis.has_answers:
        return ExitCode.NOTHING_MEASURED
    if worst(analysis.requirements, strict=report.strict) == "missed":
        return ExitCode.REQUIREMENT_MISSED
    if not analysis.is_complete:
        return ExitCode.PARTLY_MEASURED
    return ExitCode.MEASURED
