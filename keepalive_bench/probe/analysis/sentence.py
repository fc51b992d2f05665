"""The answer of a probe, in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.results.failure_kinds import OTHER
from keepalive_bench.units import between, duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.probe.probed import (
        Closings,
        DeathKind,
        IdleTimeout,
        Persistence,
        Settings,
        SilentDrop,
    )
    from keepalive_bench.probe.record import EndKind, ProbeRecord

HOW: dict[EndKind, str] = {
    "fin": "FIN",
    "rst": "RST",
    "close-notify": "TLS close_notify and FIN",
    "408": "a 408 response and FIN",
    "data": "unsolicited data",
}
"""What an end is called."""
_MET: dict[DeathKind, str] = {
    "silence": "hung",
    "rst": "were reset",
    "fin": "were closed without a response",
    "": "failed",
}
"""What becomes of reuses that die."""
_EXACT = 0.02
"""Times that differ by less, in proportion, are said as one."""
_EXACT_S = 0.1
"""Or by less than that."""
_NEARLY = 0.95
"""Where a reuse was answered after such a part of the time, all of it counts as looked for."""


def sentence_of(
    record: ProbeRecord,
    persistence: Persistence,
    timeout: IdleTimeout,
    drop: SilentDrop,
    settings: Settings,
) -> str:
    """The answer."""
    if persistence == "silent":
        return _silence(record)
    if persistence == "closed":
        return _closed(record)
    return " ".join(_kept(record, timeout, drop, settings))


def _silence(record: ProbeRecord) -> str:
    connections = record.connections
    failures = (
        failure
        for it in connections
        for failure in (it.failure, *(each.failure for each in it.exchanges))
        if failure is not None
    )
    failure = next(failures, None)
    if failure is None:
        return "Nothing was measured: the probe was stopped before a response came."
    if failure.kind == OTHER.code:  # it may have come, and is none that kab reads
        return f"Nothing was measured: {failure.message}."
    return f"Nothing was measured: no response came. {failure.kind} ({failure.message})."


def _closed(record: ProbeRecord) -> str:
    watched = [it for it in record.connections if it.part == "watched" and it.answered]
    if any(it.ended is not None and it.ended.kind == "data" for it in watched):
        return "Sends unsolicited data after a response: no request can reuse the connection."
    announced = all(it.closes for it in watched)
    how = "as its responses announce" if announced else "though its responses don't announce that"
    return f"Closes each connection after one response, {how}: no request can reuse one."


def _kept(
    record: ProbeRecord, timeout: IdleTimeout, drop: SilentDrop, settings: Settings
) -> Iterator[str]:
    is_lost = drop.died_s is not None
    if is_lost:
        yield _lost(drop)
    if drop.is_every_reuse:
        yield (
            f"Answers no second request on a connection: all {drop.deaths:,} reuses "
            f"{_MET[drop.how]}. Don't reuse connections here."
        )
    elif timeout.together:
        yield _together(timeout)
    elif timeout.least_s is not None:
        yield f"{'The server keeps' if is_lost else 'Keeps'} idle connections {_times(timeout)}."
    elif not is_lost:
        yield _none(record, timeout, drop)
    if settings.idle_limit_s:
        yield f"Set the client's limit below {_set_to(settings.idle_limit_s)}."
    elif settings.idle_limit_s is not None:
        yield "Don't reuse connections here: they are kept for less than a round trip."


def _together(timeout: IdleTimeout) -> str:
    least_s, most_s = timeout.least_s or 0.0, timeout.most_s or 0.0
    if timeout.together == "age":
        return (
            f"Ends connections {duration(most_s)} after they were opened, used or not: that is a "
            "lifetime. No idle timeout is as short."
        )
    return (
        f"All connections ended at one moment, idle for {between(least_s, most_s)}: that is a "
        "restart, a reload, or a timer that runs only now and then. Probe again."
    )


def _set_to(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{1000 * seconds:g} ms"


def _lost(drop: SilentDrop) -> str:
    after = _bracket(drop.answered_s, drop.died_s or 0.0)
    if drop.how == "silence" and drop.unacknowledged is not False:
        return f"The path silently drops connections idle for more than {after}: a reuse hangs."
    met = {
        "rst": "is reset, though no end had been seen",
        "fin": "is closed without a response, though no end had been seen",
    }.get(drop.how, "hangs, though the nearest hop acknowledges it")
    return f"A reuse after more than {after} of idle time {met}."


def _bracket(low_s: float, high_s: float) -> str:
    if high_s - low_s <= max(_EXACT * high_s, _EXACT_S):
        return duration((low_s + high_s) / 2)
    return between(low_s, high_s)


def _times(timeout: IdleTimeout) -> str:
    """When connections are closed; of backends that differ, or beside what few others did."""
    several = [it for it in timeout.closings if it.connections > 1]
    if timeout.backends_differ:
        *first, last = (_span(it) for it in several)
        return f"for {', '.join(first)} or {last}, depending on the backend"
    main = max(timeout.closings, key=lambda it: it.connections)
    others = [
        f"one {'was kept for' if it.least_s > main.most_s else 'ended after'} {_span(it)}"
        for it in timeout.closings
        if it is not main
    ]
    return f"for {_span(main)}, then {HOW[main.kind]}{'; ' if others else ''}{', '.join(others)}"


def _span(closings: Closings) -> str:
    least_s, most_s = closings.least_s, closings.most_s
    if most_s - least_s <= max(_EXACT * most_s, _EXACT_S):
        return duration((least_s + most_s) / 2)
    return between(least_s, most_s)


def _none(record: ProbeRecord, timeout: IdleTimeout, drop: SilentDrop) -> str:
    """Where nothing was found: up to where it was looked for, and no farther."""
    open_s, answered_s = duration(timeout.looked_s), duration(drop.answered_s)
    if record.info.interrupted and drop.answered_s:
        return (
            f"Keeps idle connections for {answered_s} at least: the probe was stopped when others "
            f"had been open for {open_s}."
        )
    if record.info.interrupted:
        return f"Closes no idle connection within {open_s}: the probe was stopped before a reuse."
    if drop.deaths:
        return (
            f"Keeps idle connections for {answered_s} at least, and closes none within {open_s}; "
            f"but {drop.deaths:,} of {plural(drop.reuses, 'reuse')} got no response."
        )
    if drop.answered_s >= _NEARLY * timeout.looked_s:
        return (
            f"Keeps idle connections for {open_s} and longer: none was closed or lost up to then."
        )
    if drop.answered_s:
        return (
            f"Keeps idle connections for {answered_s} at least, as a reuse was answered then; none "
            f"was closed up to {open_s}."
        )
    return f"Closes no idle connection within {open_s}, but no reuse was answered."
