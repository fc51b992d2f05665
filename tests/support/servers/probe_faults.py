"""Whether what a probe found of a real server is what its documentation says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.servers.probing import old_keep_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.servers.probing import ProbeCase, ProbedServer

    from keepalive_bench.probe.probed import IdleTimeout

_EXACT_S, _EXACT = 0.05, 0.01
"""By how much a time may be off: by the larger of both, the second a part of it."""


def faults(server: ProbedServer, late_s: float) -> Iterator[str]:
    """What isn't as it should be; `late_s`: by how much things may have been noted late."""
    case, found, _ = server
    told = {
        "persistence": (found.persistence, case.persistence),
        "announced": (found.announced, case.announced),
        "consistent with": (found.consistent_with, case.consistent),
        "limit of requests": (found.request_limit and found.request_limit.limit, case.limit),
        "HTTP/1.0 kept": (old_keep_alive(found), case.keeps_old),
    }
    for name, (is_so, should_be) in told.items():
        if is_so != should_be:
            yield f"{name}: {is_so}, not {should_be}"
    if case.answer not in found.sentence:
        yield f"not said: {case.answer}: {found.sentence}"
    if found.silent_drop.died_s is not None:
        yield f"a silent drop: {found.silent_drop}"
    yield from _wrong_counts(server)
    yield from _wrong_timeout(server, late_s)
    yield from _wrong_lifetime(server, late_s)


def _wrong_counts(server: ProbedServer) -> Iterator[str]:
    _, found, saw = server
    if found.connections != saw.connections:
        yield f"{found.connections} connections, and the server saw {saw.connections}"
    exchanges = [each for it in found.record.connections for each in it.exchanges]
    unanswered = sum(it.failure is not None for it in exchanges)  # it may have been closing
    if not found.requests - unanswered <= saw.requests <= found.requests:
        yield f"{found.requests} requests, and the server saw {saw.requests}: {unanswered} failed"


def _wrong_timeout(server: ProbedServer, late_s: float) -> Iterator[str]:
    case, found, _ = server
    timeout = found.idle_timeout
    if case.idle is None:
        if timeout.connections:
            yield f"an idle timeout: {timeout}"
        return
    if timeout.least_s is None or timeout.median_s is None:
        yield f"no idle timeout: {timeout}"
        return
    if len(case.backends_s or (0.0,)) != len(timeout.closings):
        yield f"other backends: {timeout}"
        return
    for least_s, most_s, seen_s in _spans(case, timeout):
        off_s = _off_s(seen_s) + late_s
        if not least_s - off_s <= seen_s <= most_s + off_s:
            yield f"{seen_s} s, not {least_s} to {most_s} s: {timeout}"
    if {it.kind for it in timeout.closings} != {case.ends}:
        yield f"ended otherwise: {timeout}"
    limit_s = found.settings.idle_limit_s
    if limit_s is None or limit_s >= timeout.least_s:
        yield f"a client's limit of {limit_s} s"


def _spans(case: ProbeCase, timeout: IdleTimeout) -> Iterator[tuple[float, float, float]]:
    """From when to when each of its servers closes, and when a typical connection was closed.

    One of them may be late: it is a process of a busy machine that notes it.
    """
    if not case.backends_s:
        assert case.idle is not None
        assert timeout.median_s is not None
        yield *case.idle, timeout.median_s
        return
    for set_s, seen in zip(case.backends_s, timeout.closings, strict=True):
        yield set_s, set_s, min(max(set_s, seen.least_s), seen.most_s)


def _wrong_lifetime(server: ProbedServer, late_s: float) -> Iterator[str]:
    case, found, _ = server
    if case.lifetime_s is None:
        return
    lifetime = found.lifetime
    if lifetime is None or lifetime.least_s is None or lifetime.most_s is None:
        yield f"no lifetime: {lifetime}"
        return
    off_s = _off_s(case.lifetime_s) + late_s
    if not lifetime.least_s - off_s <= case.lifetime_s <= lifetime.most_s + off_s:
        yield f"another lifetime: {lifetime}"


def _off_s(seconds: float) -> float:
    return max(_EXACT_S, _EXACT * seconds)
