"""What reopened connections cost the pooled arms, and what to do: one finding for each reason."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, cast

from keepalive_bench.analysis.analysis import Finding
from keepalive_bench.connections.reasons import NONE
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.results.run import Run

_SHOWN_DATA = 60
_PER_CONNECTION = {"server-close", "keep-alive-max", "request-limit"}
_POOLS = {"pool-full", "pool-exhausted"}


@dataclass(frozen=True)
class _FindingContext:
    """The connections of one arm that were opened for one reason."""

    run: Run
    arm: ArmSummary
    rows: Sequence[int]

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def times(self) -> str:
        return f"{self.arm.name}, {plural(self.count, 'time')}"

    @property
    def each_after(self) -> int | None:
        """How many responses each connection before had carried, if always the same number."""
        previous, exchanges = self.arm.reasons.previous, self.run.connections.exchanges
        counts = {exchanges[previous[row]] for row in self.rows if previous[row] != NONE}
        return next(iter(counts)) if len(counts) == 1 else None

    @property
    def typical_idle_s(self) -> float:
        """After how long the server closed them, or how long they were idle where it is unknown."""
        evidence = (self.arm.reasons[row].evidence for row in self.rows)
        return median(cast("float", it.get("closed_after_s", it["idle_s"])) for it in evidence)


def reason_findings(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """A finding for each reason that cost a pooled arm a connection."""
    if arm.kind != "pooled":
        return
    if arm.reasons.caused_by_interleaving:
        yield _finding(
            "stale-by-interleaving", _FindingContext(run, arm, arm.reasons.caused_by_interleaving)
        )
    for code in arm.reason_counts:
        if code in _SAYINGS and (theirs := arm.reasons.rows(code)):
            yield _finding(code, _FindingContext(run, arm, theirs))


def _finding(code: str, case: _FindingContext) -> Finding:
    say, advice = _SAYINGS[code]
    if case.arm.option is not None:
        advice = _IN_SWEEPS.get(code, advice)
    return Finding(
        code=code,
        severity="warning",
        evidence={"arm": case.arm.label, "connections": case.count, **_numbers(code, case)},
        text=f"{say(case)}.",
        advice=advice,
    )


def _numbers(code: str, case: _FindingContext) -> dict[str, int | float]:
    """What a finding's text says of numbers, as data."""
    experiment = case.run.plan.experiment
    if code in _PER_CONNECTION and case.each_after is not None:
        return {"requests": case.each_after}
    if code == "idle-timeout":
        return {"idle_s": case.typical_idle_s}
    if code in _POOLS:
        return {"maxsize": experiment.pool_size, "concurrency": experiment.concurrency}
    return {}


def _server_close(case: _FindingContext) -> str:
    count = case.each_after
    after = "" if count is None else f" after {_every(count)}"
    return f"The server said Connection: close{after} ({case.times})"


def _announced_max(case: _FindingContext) -> str:
    return f"The server closed when the maximum that it announces was reached ({case.times})"


def _request_limit(case: _FindingContext) -> str:
    each = _every(case.each_after or 0)
    return f"The server closed the connection after {each}, unannounced ({case.times})"


def _every(count: int) -> str:
    return "every request" if count == 1 else f"every {plural(count, 'request')}"


def _idle(case: _FindingContext) -> str:
    typical = duration(case.typical_idle_s)
    return f"The server closed connections that had been idle for {typical} or so ({case.times})"


def _interleaved(case: _FindingContext) -> str:
    others = "the other arm" if case.arm.option is None else "other values"
    return (
        f"{plural(case.count, 'connection')} of {case.arm.name} went stale only because "
        f"kab ran {others} in between, which is not the server's fault and doesn't count "
        "against it"
    )


def _unsolicited(case: _FindingContext) -> str:
    data = str(case.arm.reasons[case.rows[0]].evidence.get("seen", ""))[:_SHOWN_DATA]
    return f"The server sent what nobody had asked for ({case.times}): {printable(data)}"


def _pool_full(case: _FindingContext) -> str:
    experiment = case.run.plan.experiment
    return (
        f"maxsize {experiment.pool_size} is too small for {experiment.concurrency} threads: "
        f"{plural(case.count, 'connection')} of {case.arm.name} had to be opened again"
    )


def _pool_exhausted(case: _FindingContext) -> str:
    return f"More connections than maxsize were opened, as all were busy ({case.times})"


_IN_SWEEPS = {
    "stale-by-interleaving": "In a sweep over fewer values, each has its turn again sooner.",
    "unknown": "kab report --verbose shows what was seen of each, from the file of --json.",
}
"""What to do where the usual advice names an option that a sweep doesn't have."""


def _plainly(text: str) -> Callable[[_FindingContext], str]:
    return lambda case: f"{text} ({case.times})"


_SAYINGS: dict[str, tuple[Callable[[_FindingContext], str], str]] = {
    "after-error": (
        _plainly("After a failed request its connection was given up"),
        "The failures are named above; a connection that failed can't be used again.",
    ),
    "stale-race": (
        _plainly("A reused connection died under a request that was already sent"),
        (
            "The server closed it at just that moment: a shorter idle time at the client than at "
            "the server avoids that, and requests that may be repeated can be retried."
        ),
    ),
    "server-close": (
        _server_close,
        "On nginx that is keepalive_requests or keepalive_timeout; a proxy in between may say it.",
    ),
    "http-1.0": (
        _plainly("The server answered as HTTP/1.0, which ends the connection"),
        "Let it speak HTTP/1.1; for nginx in front of it: proxy_http_version 1.1.",
    ),
    "close-delimited": (
        _plainly("The response didn't tell its length, so that it ended with the connection"),
        "A Content-Length, or chunks, would keep the connection open.",
    ),
    "keep-alive-max": (_announced_max, "On Apache that is MaxKeepAliveRequests."),
    "request-limit": (
        _request_limit,
        "Look for a limit of requests per connection; on nginx that is keepalive_requests.",
    ),
    "idle-timeout": (
        _idle,
        (
            "Its idle timeout is shorter than the pauses of this traffic: raise it there, or "
            "expect to reconnect."
        ),
    ),
    "stale-by-interleaving": (_interleaved, "--order sequential runs the arms one by one."),
    "unsolicited-data": (
        _unsolicited,
        "A connection with such bytes can't be used again; a 408 is an idle timeout's message.",
    ),
    "pool-full": (
        _pool_full,
        "A --maxsize of the concurrency keeps them all; --block makes threads wait instead.",
    ),
    "pool-exhausted": (
        _pool_exhausted,
        "A --maxsize of the concurrency gives each thread a place; --block makes threads wait.",
    ),
    "unknown": (
        _plainly("Connections ended in a way that kab can't name"),
        "--verbose shows what was seen of each.",
    ),
}
