"""What kab noticed of this machine's local ports: each connection takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kinds import PORTS_EXHAUSTED, PORTS_LOW
from keepalive_bench.plan.local_ports import a_second
from keepalive_bench.results import failure_kinds as failures
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary, Finding
    from keepalive_bench.results.run import Run

_LINGER_S = 60.0
"""How long a port stays taken after its connection, where nothing else is known: Linux's
TCP_TIMEWAIT_LEN."""
_LOW = 0.5


def port_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    failed = sum(arm.failure_kinds.get(failures.PORTS_EXHAUSTED.code, 0) for arm in arms)
    if failed:
        yield _exhausted(run, failed)
    else:
        yield from _low(run)


def _exhausted(run: Run, failed: int) -> Finding:
    held_s = run.run_info.port_held_s or _LINGER_S
    return PORTS_EXHAUSTED.found(
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
        yield PORTS_LOW.found(
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
