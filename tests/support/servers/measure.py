"""Runs kab against a server of the table, and notes what the server and the kernel saw."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from support.plans import plan
from support.servers.case import Idle, Told
from support.servers.place import place

from keepalive_bench import Arm, analyse, benchmark
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from support.servers.case import Case, Halt, Launcher
    from support.servers.place import Place

    from keepalive_bench import Exchange
    from keepalive_bench.analysis.arm_summary import ArmSummary

_SLACK_S = 10.0
"""How much later than they say servers close an idle connection, on a busy machine."""
_SETTLED_S = 0.02
"""What a server needs to be back at waiting: lighttpd heeds a signal that comes before only when
its clock next ticks, a second later."""
_SURELY_S = 0.1
"""A connection that is open so long after the time that it was closed at stays open."""


class Rest(NamedTuple):
    """A connection left idle. Times in seconds."""

    latency_s: float
    """Of the request before. Somewhere in it the server began to count: a body that Nagle's
    algorithm holds back is written long before it is received."""
    open_s: float
    """How long the kernel then still showed it as open."""


@dataclass(frozen=True)
class Measured:
    """What kab found, and what others saw."""

    arm: ArmSummary
    seen: list[int]
    """How many requests each connection carried, by the server's own notes."""
    rest: Rest | None
    """How the connection fared that was left idle until the server closed it, where one was."""
    advice: str
    """What kab advises against the reason."""

    @property
    def reason(self) -> str:
        """The reason for the connections after the first: one that all of them have."""
        (code,) = {reason.code for row, reason in self.arm.reasons.items() if row}
        return code


def measure(case: Case) -> Measured:
    """Send the case's requests; where the server is to close what is idle, wait until it has."""
    return _measure(case, case.start, _until_closed)


def measure_cured(case: Case) -> Measured:
    """Send the same to the server that is set as the cure says, and wait just as long."""
    assert case.cure is not None
    return _measure(case, case.cure.start, _still_open)


def _measure(case: Case, start: Launcher, wait: Callable[[Place, float], float | None]) -> Measured:
    rests: list[Rest] = []
    with place() as at:
        with start(at) as process:

            def halt(exchange: Exchange) -> None:
                what = case.traffic.halts.get(exchange.index + 1)
                if what is not None:
                    open_s = _halted(what, at, process, wait)
                    if open_s is not None:
                        rests.append(Rest(exchange.outcome.latency_s, open_s))

            measured = benchmark(
                plan(
                    f"http{'s' if case.tls else ''}://127.0.0.1:{at.port}/",
                    arms=(Arm("pooled"),),
                    requests=case.requests,
                    warmup=0,
                    timeout_s=20,
                    ca_file=CERTIFICATE,
                    server=case.told,
                    **case.traffic.options,
                ),
                halt,
            )
        analysis = analyse(measured)
        (arm,) = analysis.arms
        assert not arm.failed, arm.failures
        seen = at.requests_per_connection(arm.succeeded)  # some write it down when they end
        advice = " ".join(it.advice for it in analysis.findings if it.code == case.code)
        return Measured(arm, seen, rests[0] if rests else None, advice)


def _halted(
    what: Halt,
    at: Place,
    process: subprocess.Popen[bytes],
    wait: Callable[[Place, float], float | None],
) -> float | None:
    if isinstance(what, Idle):
        return wait(at, what.most_s)
    if isinstance(what, Told):
        time.sleep(_SETTLED_S)
        process.send_signal(what.signal)
        wait(at, 0.0)
    else:
        time.sleep(what.seconds)
    return None


def _until_closed(at: Place, most_s: float) -> float:
    """Wait until the kernel has no open connection to the place; how long that took."""
    began = time.monotonic()
    while at.has_connection():
        waited = time.monotonic() - began
        assert waited < most_s + _SLACK_S, f"the server kept an idle connection for {waited:.1f} s"
        time.sleep(0.005)
    return time.monotonic() - began


def _still_open(at: Place, most_s: float) -> None:
    """Wait longer than the server would keep a connection if it weren't cured."""
    time.sleep(most_s + _SURELY_S)
    assert at.has_connection(), f"the server closed a connection within {most_s} s all the same"
