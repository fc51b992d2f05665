"""From a plan to a shown probe."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from keepalive_bench.cli import exports
from keepalive_bench.cli.compared_probes import check_no_statistics
from keepalive_bench.cli.options import REQUIRE, SERVER, STRICT
from keepalive_bench.cli.session import deferred_interrupts
from keepalive_bench.connections.products import product_called
from keepalive_bench.errors import ExitCode
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.prober import probe
from keepalive_bench.probe.report import ProbeReport
from keepalive_bench.probe.report.plan import needs, plan_lines, planned
from keepalive_bench.probe.report.progress import News, line
from keepalive_bench.probe.report.terminal import terminal_parts
from keepalive_bench.probe.report.words import advice_on_silence
from keepalive_bench.probe.requirements import check_probe, probe_requirements
from keepalive_bench.probe.transport import LiveTransport
from keepalive_bench.report.requirements import worst
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.engine.interrupts import Interrupts
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.agenda import State
    from keepalive_bench.probe.record import ProbeRecord

__all__ = ["deferred_interrupts", "exit_code", "probed", "requirements", "show", "told"]


def requirements(texts: Iterable[str]) -> tuple[Requirement, ...]:
    """What is demanded.

    Raises:
        UsageError: one is no requirement.
    """
    return probe_requirements(texts)


def told(plan: ProbePlan, required: Sequence[Requirement], shown: Screen) -> ExitCode:
    """Print what would be sent."""
    shown.show_lines(plan_lines(plan, required))
    return ExitCode.MEASURED


def probed(
    plan: ProbePlan,
    required: Sequence[Requirement],
    shown: Screen,
    interrupts: Interrupts,
    *,
    strict: bool,
) -> ProbeReport:
    """Carry out a plan, and see what comes of it; whoever waits is shown how far it is."""
    if not plan.tls.verify and plan.target.scheme == "https":
        shown.remark("Warning: the server's certificate is not checked (--insecure).")
    return _report(_record(plan, required, shown, interrupts), required, strict=strict)


def reported(record: ProbeRecord, asked: Asked, shown: Screen) -> ExitCode:
    """Write and show a stored probe again; the exit code.

    Raises:
        UsageError: something is asked for that makes no sense.
    """
    check_no_statistics(asked)
    server = asked[SERVER]
    if server is not None:
        product_called(server)
        record = record._replace(asked=record.asked._replace(server=server))
    required = requirements(asked.each(REQUIRE))
    report = _report(record, required, strict=asked[STRICT] is True)
    try:
        with exports.opened(exports.wanted(asked)) as opened:
            opened.write(report)
    finally:
        show(report, shown)
    return shown.code(exit_code(report, stored=True))


def _report(record: ProbeRecord, required: Sequence[Requirement], *, strict: bool) -> ProbeReport:
    found = analyse(record)
    checked = tuple(check_probe(it, found) for it in required)
    return ProbeReport(found, checked, strict=strict)


def _record(
    plan: ProbePlan, required: Sequence[Requirement], shown: Screen, interrupts: Interrupts
) -> ProbeRecord:
    is_stopped = False

    def pause(seconds: float) -> None:
        nonlocal is_stopped
        is_stopped |= interrupts.wait(seconds)

    def stopped() -> bool:
        nonlocal is_stopped
        is_stopped |= interrupts.drain()
        return is_stopped

    transport = LiveTransport(plan, interrupts.wake, pause)
    interrupts.take_over()
    try:
        with _followed(plan, required, shown) as followed:
            return probe(plan, transport, stopped, followed)
    finally:
        transport.close()


@contextmanager
def _followed(
    plan: ProbePlan, required: Sequence[Requirement], shown: Screen
) -> Iterator[Callable[[State], None]]:
    """What is told now and then; on a terminal, a line is drawn anew."""
    if shown.quiet:
        yield lambda _: None
        return
    for it in (planned(plan), *needs(plan, required)):
        shown.remark(it)
    if shown.can_draw:
        with line(shown.err) as drawn:
            yield drawn
    else:
        yield News(shown.remark).tell


def show(report: ProbeReport, shown: Screen) -> None:
    """Print a report; only how requirements stand, where results go to standard output.

    Where nothing was measured, that is an error.
    """
    requirements, strict = report.requirements, report.strict
    if report.probed.persistence == "silent":
        shown.remark(printable(f"Error: {report.probed.sentence}"))
        if advice := advice_on_silence(report.probed):
            shown.remark(printable(advice))
        shown.show_requirements(requirements, strict=strict, missing=True)
    elif shown.is_for_remarks:
        shown.show_requirements(requirements, strict=strict)
    else:
        parts = terminal_parts(
            report, shown.out.width, plain_ascii=shown.plain_ascii, verbose=shown.verbose
        )
        shown.show(parts)
    if shown.annotating:
        from keepalive_bench.probe.report.dialects import annotation_lines  # noqa: PLC0415  # where it's asked for

        shown.annotate(annotation_lines(report))


def exit_code(report: ProbeReport, *, stored: bool = False) -> ExitCode:
    """The first that applies; of a `stored` probe, 130 would say that it is shown in part only."""
    found = report.probed
    if found.record.info.interrupted and not stored:
        return ExitCode.INTERRUPTED
    if found.persistence == "silent":
        return ExitCode.NOTHING_MEASURED
    if worst(report.requirements, strict=report.strict) == "missed":
        return ExitCode.REQUIREMENT_MISSED
    return ExitCode.MEASURED if found.is_complete else ExitCode.PARTLY_MEASURED
