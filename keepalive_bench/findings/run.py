"""What kab noticed of the course of a run: its end, its failures, and local ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.history import closer_of
from keepalive_bench.analysis.untimed import untimed
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.plan.local_ports import a_second
from keepalive_bench.results import failure_kinds as failures
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.failure_kinds import Actor
    from keepalive_bench.results.run import Run

_LINGER_S = 60.0
"""How long a port stays taken after its connection, where nothing else is known: Linux's
TCP_TIMEWAIT_LEN."""
_LOW = 0.5

INTERRUPTED = FindingKind(
    code="interrupted",
    title="Ctrl-C, or a signal like it, ended the run early",
    who="client",
    evidence=("exchanges", "cut_off"),
    proof="The figures cover the requests that had ended by then. Those that hadn't a second later "
    "are cut off: they don't count as failures, and are in no other figure.",
    text="The run was interrupted after {exchanges:request}{under_way}.",
    clauses={"under_way": "; {cut_off} more were cut off"},
    provoked=Provoked(test="tests/cli/test_interruption.py"),
)
ONLY_ROUND_CUT = FindingKind(
    code="only-round-cut",
    title="The run ended in its first round",
    who="client",
    evidence=("exchanges",),
    proof="`--duration` was over, or Ctrl-C came, before the first round ended. Otherwise the "
    "round that is cut off is [in no figure of times](methodology.md#when-time-is-over).",
    text="{why}, so all times are from an incomplete round. Requests still running when time is up "
    "are slow more often than others.",
    advice="Measure longer (-z).",
    provoked=Provoked("URL -z 100ms", "--delay 0.15"),
)
PROCESS_LOST = FindingKind(
    code="process-lost",
    title="One of several `--processes` was lost",
    who="client",
    evidence=("process", "why", "sent"),
    proof="It ended by itself, was killed, or was stopped (SIGSTOP) for longer than `--timeout` "
    "and a second.",
    text="Process {process!s} of {processes!s} (counted from 0) was lost: {why}. Its results are "
    "left out ({sent:request}, as far as known), and its requests count as not sent.",
    provoked=Provoked(test="tests/engine/test_processes.py"),
)
REQUESTS_FAILED = FindingKind(
    code="requests-failed",
    title="Requests failed",
    who="server",
    evidence=("arm", "kind", "count", "message"),
    proof="It gives the number of each [kind](#kinds-of-failures), with a message. If more "
    "requests failed than succeeded, the report shows no requests/s.",
    text="{count:request} of {arm} failed: {kind} ({message}).",
    advice="{remedy}",
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-requests 2"),
)
REQUESTS_NOT_SENT = FindingKind(
    code="requests-not-sent",
    title="An arm was stopped",
    who="client",
    evidence=("arm", "count"),
    proof="Its first 5 requests failed, or the run was interrupted.",
    text="{count:request} of {arm} were not sent.",
    cases={
        "after failures": Case(
            advice="kab stops an arm if its first 5 requests all fail; --keep-going sends them all."
        )
    },
    provoked=Provoked("URL -n 8", "--fault close-on-request"),
)
WARMUP_FAILED = FindingKind(
    code="warmup-failed",
    title="A warm-up request failed",
    who="server",
    severity="info",
    evidence=("arm", "kind", "count"),
    proof="It isn't measured.",
    text="{count:warm-up request} of {arm} failed: {kind} ({message}).",
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-connections 1"),
)
PORTS_LOW = FindingKind(
    code="ports-low",
    title="Connections used half of the local ports, or more",
    who="client",
    evidence=("opened", "ports", "peer"),
    proof="Of those that were free for one address, within the time that each stays in use "
    "(Linux).",
    text="{opened} connections to {peer} within {held} used {share:.0%} of the {ports} local "
    "ports. Each port stays in use for {held} after its connection, so at most {rate} can be "
    "sustained.",
    advice="Send fewer --requests, or connect from several addresses (--source-address).",
    provoked=Provoked(test="tests/findings/test_port.py"),
)
PORTS_EXHAUSTED = FindingKind(
    code="ports-exhausted",
    title="This machine had no local port left",
    who="client",
    evidence=("count", "opened", "held_s"),
    text="{count:request} found no free local port on this machine, after {opened:connection} in "
    "this run. A port stays in use for up to {held} after its connection.",
    advice="Wait {held}, send fewer --requests, or connect from several addresses "
    "(--source-address).",
    provoked=Provoked(test="tests/net/test_local_ports.py"),
)


def outcome_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """What endangers a result: an early end, failures, and too few ports."""
    yield from _interrupted(run, arms)
    if untimed(run).is_all:
        yield ONLY_ROUND_CUT.found(
            exchanges=len(run.exchanges),
            words={
                "why": "The run was stopped in its first round"
                if run.run_info.interrupted
                else "Time was up before the first round ended"
            },
        )
    yield from _lost(run)
    is_answered = any(arm.succeeded for arm in arms)
    for arm in arms:
        yield from _failures(run, arm, among_answers=is_answered)
    failed = sum(arm.failure_kinds.get(failures.PORTS_EXHAUSTED.code, 0) for arm in arms)
    if failed:
        yield _exhausted(run, failed)
    else:
        yield from _low(run)


def _interrupted(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    if run.run_info.interrupted:
        cut_off = sum(arm.interrupted for arm in arms)
        yield INTERRUPTED.found(
            exchanges=sum(arm.sent for arm in arms),
            cut_off=cut_off,
            clauses=["under_way"] if cut_off else [],
        )


def _lost(run: Run) -> Iterator[Finding]:
    """Processes that ended before they had told what they measured."""
    for lost in run.run_info.lost:
        yield PROCESS_LOST.found(
            process=lost.process,
            why=lost.why,
            sent=sum(lost.sent.values()),
            words={"processes": run.plan.experiment.processes},
        )


def _failures(run: Run, arm: ArmSummary, *, among_answers: bool) -> Iterator[Finding]:
    for kind, count in arm.failure_kinds.items():
        alike = (failure for failure in arm.failures if failure.kind == kind)
        failure = max(alike, key=arm.failures.__getitem__)
        yield REQUESTS_FAILED.found(
            arm,
            kind=kind,
            count=count,
            message=failure.message,
            who=_who(run, kind),
            words={"remedy": failures.advice_on(failure, run.plan, among_answers=among_answers)},
        )
    if arm.not_sent:
        by_itself = not (arm.succeeded or run.run_info.interrupted)
        yield REQUESTS_NOT_SENT.found(
            arm, count=arm.not_sent, case="after failures" if by_itself else None
        )
    warmup = run.warmup.get(arm.label)
    if warmup is not None and warmup.failures:
        kind, message = warmup.failures[0]
        yield WARMUP_FAILED.found(
            arm,
            kind=kind,
            count=len(warmup.failures),
            who=_who(run, kind),
            words={"message": printable(message)},
        )


def _who(run: Run, kind: str) -> Actor | None:
    """Who did it, by the kind of failure: what a server does, the proxy does where it forwards."""
    found = failures.failure_kind(kind)
    if found is failures.CONNECT_REFUSED and run.plan.network.proxy is not None:
        return "proxy"
    if found is None or found.who != "server":
        return found and found.who
    return closer_of(run.plan).who


def _exhausted(run: Run, failed: int) -> Finding:
    held_s = run.run_info.port_held_s or _LINGER_S
    return PORTS_EXHAUSTED.found(
        count=failed,
        opened=len(run.connections),
        held_s=held_s,
        words={"held": f"{held_s:g} s"},
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
            words={
                "held": f"{held_s:g} s",
                "share": opened / ports,
                "rate": a_second(ports / held_s),
            },
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
