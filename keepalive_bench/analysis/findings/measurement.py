"""What kab noticed of the measurement itself: of its own process, and of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.model.analysis import Finding
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.model.analysis import ArmSummary
    from keepalive_bench.model.run import Run

CLIENT_BOUND_FROM = 0.5
"""Processor time ÷ wall time above which waiting for the client itself shows in latencies."""
_NOTABLE_WAIT = 0.1
"""Of the typical latency."""
_TICKS = 20
"""Ticks of the clock that a latency has to last at least, for its differences to be real."""
_LINGER_S = 60.0
"""How long a port stays taken after its connection: Linux's TCP_TIMEWAIT_LEN."""
_LOW = 0.5
_CHANGED = 0.25
_BUSY = 0.75


def measurement_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    yield from _client_bound(run, arms)
    yield from _coarse_clock(run, arms)
    yield from _ports(run)
    yield from _load(run)
    yield from _garbage(run)


def _client_bound(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """At one request at a time the client's own work is known; several wait for one another."""
    course, concurrency = run.course, run.plan.experiment.concurrency
    if concurrency == 1 or not course.wall_s:
        return
    share, wait_s = course.cpu_s / course.wall_s, course.gil_wait_s or 0.0
    typical = min((arm.latency.p50 for arm in arms if arm.latency.p50), default=None)
    of_latency = wait_s / typical if typical else 0.0
    if (course.others_least or 0.0) >= _BUSY:
        of_latency = 0.0  # it may as well have waited for a processor, which is told apart
    if share < CLIENT_BOUND_FROM and of_latency < _NOTABLE_WAIT:
        return
    waits = (
        f" After each wait for the network a thread waits {duration(wait_s)} more, on average, for "
        f"its turn; the quickest arm's typical latency is {duration(typical)}."
    ) * (of_latency >= _NOTABLE_WAIT)
    measured = {"cpu_s": course.cpu_s, "wall_s": course.wall_s, "share": share}
    yield Finding(
        code="client-bound",
        severity="warning",
        evidence={**measured, **({"gil_wait_s": wait_s} if course.gil_wait_s is not None else {})},
        text=f"kab's own process was busy for {share:.0%} of the time: with {concurrency} "
        f"threads in one interpreter, much of these latencies is waiting for one another.{waits}",
        advice="Compare the arms, not the latencies; a lower --concurrency shows the server's.",
    )


def _coarse_clock(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    resolution_s = run.environment.clock_resolution_s
    fastest = min((arm.latency.min for arm in arms if arm.latency.min is not None), default=None)
    if fastest is not None and fastest < _TICKS * resolution_s:
        yield Finding(
            code="clock-too-coarse",
            severity="warning",
            evidence={"resolution_s": resolution_s, "fastest_s": fastest},
            text=f"The clock ticks every {duration(resolution_s)}, which is too coarse for "
            f"latencies of {duration(fastest)}.",
        )


def _ports(run: Run) -> Iterator[Finding]:
    """Local ports used up: as many connections to one address as came within a minute.

    Where more came than there are ports, this system evidently takes ports again sooner.
    """
    ports = run.environment.ephemeral_ports
    if ports is None or len(run.connections) < _LOW * ports:
        return
    ports *= max(1, len(run.plan.network.source_addresses))
    peer, opened = _most_within(run, _LINGER_S)
    if _LOW * ports <= opened <= ports:
        yield Finding(
            code="ports-low",
            severity="warning",
            evidence={"opened": opened, "ports": ports, "peer": peer},
            text=f"{opened:,} connections to {printable(peer)} were opened within a minute, of "
            f"{ports:,} local ports for it ({opened / ports:.0%}): each stays taken for up to a "
            f"minute more, so about {ports / _LINGER_S:,.0f} a second is all that lasts.",
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


def _load(run: Run) -> Iterator[Finding]:
    """What other processes took; a server on the same machine is one of them."""
    least, most = run.course.others_least, run.course.others_most
    if least is None or most is None:
        return
    evidence: dict[str, int | float | str] = {"least": least, "most": most}
    if least >= _BUSY:
        yield Finding(
            code="machine-busy",
            severity="warning",
            evidence=evidence,
            text=f"Other processes kept {least:.0%} of this machine's processors busy, or more: "
            "latencies are also of waiting for one.",
            advice="Measure when it is quieter.",
        )
    elif most - least >= _CHANGED:
        paired = run.plan.experiment.is_paired or len(run.plan.experiment.arms) == 1
        yield Finding(
            code="load-changed",
            severity="info" if paired else "warning",
            evidence=evidence,
            text="The load of this machine changed during the run: other processes took "
            f"{least:.0%} of its processors at one time, and {most:.0%} at another.",
            advice="Measure when it is quieter."
            if paired
            else "--order paired shares that between the arms.",
        )


def _garbage(run: Run) -> Iterator[Finding]:
    count = run.course.gc_collections
    if count:
        yield Finding(
            code="garbage-collected",
            severity="info",
            evidence={"collections": count},
            text=f"Python collected garbage while measuring ({plural(count, 'time')}), in the "
            "middle of some request.",
        )
