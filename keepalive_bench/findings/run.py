"""What kab noticed of the course of a run: its end, its failures, and local ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.findings import finding_kinds as kinds
from keepalive_bench.plan.local_ports import a_second
from keepalive_bench.results import failure_kinds as failures
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_LINGER_S = 60.0
"""How long a port stays taken after its connection, where nothing else is known: Linux's
TCP_TIMEWAIT_LEN."""
_LOW = 0.5
_STOPPED = "An arm is stopped when its first 5 requests all fail; --keep-going sends them all."


def outcome_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """What endangers a result: an early end, failures, and too few ports."""
    yield from _interrupted(run, arms)
    yield from _lost(run)
    for arm in arms:
        yield from _failures(run, arm)
    failed = sum(arm.failure_kinds.get(failures.PORTS_EXHAUSTED.code, 0) for arm in arms)
    if failed:
        yield _exhausted(run, failed)
    else:
        yield from _low(run)


def _interrupted(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    if run.run_info.interrupted:
        ended, cut_off = sum(arm.sent for arm in arms), sum(arm.interrupted for arm in arms)
        under_way = f"; {cut_off:,} more were cut off" if cut_off else ""
        yield kinds.INTERRUPTED.found(
            exchanges=ended,
            cut_off=cut_off,
            text=f"The run was interrupted after {plural(ended, 'exchange')}{under_way}.",
        )


def _lost(run: Run) -> Iterator[Finding]:
    """Processes that ended before they had told what they measured."""
    count = run.plan.experiment.processes
    for lost in run.run_info.lost:
        sent = sum(lost.sent.values())
        yield kinds.PROCESS_LOST.found(
            process=lost.process,
            why=lost.why,
            sent=sent,
            text=f"Of {count} processes, number {lost.process} (from 0) is lost: "
            f"{printable(lost.why)}. What it measured is left out ({plural(sent, 'exchange')}, as "
            "far as it had told), and its requests count as not sent; the others' results are "
            "kept.",
        )


def _failures(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    for kind, count in arm.failure_kinds.items():
        message = next(failure.message for failure in arm.failures if failure.kind == kind)
        yield kinds.REQUESTS_FAILED.found(arm, kind=kind, count=count, message=message)
    if arm.not_sent:
        yield kinds.REQUESTS_NOT_SENT.found(
            arm,
            count=arm.not_sent,
            advice="" if arm.succeeded or run.run_info.interrupted else _STOPPED,
        )
    warmup = run.warmup.get(arm.label)
    if warmup is not None and warmup.failures:
        kind, message = warmup.failures[0]
        yield kinds.WARMUP_FAILED.found(
            arm,
            kind=kind,
            count=len(warmup.failures),
            text=f"{plural(len(warmup.failures), 'warm-up')} of {arm.name} failed: {kind} "
            f"({printable(message)}).",
        )


def _exhausted(run: Run, failed: int) -> Finding:
    held_s = run.run_info.port_held_s or _LINGER_S
    return kinds.PORTS_EXHAUSTED.found(
        count=failed,
        opened=len(run.connections),
        held_s=held_s,
        text=f"This machine had no local port left for {plural(failed, 'request')}, after "
        f"{plural(len(run.connections), 'connection')} of this run's: a port stays taken for up to "
        f"{held_s:g} s after its connection.",
        advice=f"Wait {held_s:g} s, send fewer --requests, or connect from several addresses "
        "(--source-address).",
    )


def _low(run: Run) -> Iterator[Finding]:
    """Local ports used up: as many connections to one address as came while they stay taken.

    Where more came than there are ports, this system evidently takes ports again sooner.
    """
    each, run_info = run.environment.ephemeral_ports, run.run_info
    if each is None or len(run.connections) < _LOW * (run_info.free_ports or each):
        return
    ports = run_info.free_ports or each * max(1, len(set(run.plan.network.source_addresses)))
    held_s = run_info.port_held_s or _LINGER_S
    peer, opened = _most_within(run, held_s)
    if _LOW * ports <= opened <= ports:
        yield kinds.PORTS_LOW.found(
            opened=opened,
            ports=ports,
            peer=peer,
            text=f"{opened:,} connections to {printable(peer)} were opened within "
            f"{held_s:g} s, of {ports:,} local ports for it ({opened / ports:.0%}): each "
            f"stays taken for as long again, so {a_second(ports / held_s)} is all that lasts.",
            advice="Fewer --requests, or several --source-address, leave room.",
        )


def _most_within(run: Run, span_s: float) -> tuple[str, int]:
    """The address that most connections were opened to within a span, and how many."""
    connections = run.connections
    most = ("", 0)
    for number, peer in enumerate(connections.peers.values):
        columns = zip(connections.peer, connections.opened_s, strict=True)
        opened = sorted(at for other, at in columns if other == number)
        first = 0
        for last, at in enumerate(opened):
            while opened[first] < at - span_s:
                first += 1
            if last + 1 - first > most[1]:
                most = (peer, last + 1 - first)
    return most
