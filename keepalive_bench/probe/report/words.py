"""The words and numbers of a probe, once; each dialect only sets them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.probe.analysis.sentence import HOW
from keepalive_bench.probe.analysis.settings import windows_of
from keepalive_bench.probe.metrics import known_until
from keepalive_bench.probe.probed import Remark
from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.results.failure_kinds import OTHER, advice_on
from keepalive_bench.units import MISSING, between, duration, plural, printable, told_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.probe.probed import (
        Behaviour,
        Closings,
        IdleTimeout,
        Lifetime,
        Probed,
        RequestLimit,
        SilentDrop,
    )
    from keepalive_bench.probe.record import Seen

FOUND, SET, KEEPS, SENT = (
    "What was found",
    "What to set",
    "What keeps and what ends a connection",
    "Connections",
)
"""Headings."""
NOT_TESTED = "not tested"
PARTS = {
    "watched": "watched",
    "reused": "reused",
    "narrowed": "narrowed down",
    "age": "kept in use",
    "requests": "many requests",
    "behaviour": "behaviour",
}
"""What connections were opened for."""
_MINUTES = len("2026-01-02T03:04")


class Row(NamedTuple):
    """Something that was looked for, and what was found."""

    name: str
    value: str
    note: str = ""


def consistent(probed: Probed) -> str:
    """Whose default it could be; empty: nobody's."""
    if not probed.consistent_with:
        return ""
    return f"Consistent with {' or '.join(probed.consistent_with)}."


def remarks(probed: Probed) -> tuple[Remark, ...]:
    """What to be careful with: first what becomes of a balancer's connections, where asked for."""
    behind = probed.behind
    if behind is None:
        return probed.remarks
    severity: Literal["info", "warning"] = "warning" if behind.safe is False else "info"
    return (Remark(severity, behind.text), *probed.remarks)


def is_warned(probed: Probed) -> bool:
    """Whether there is anything to be careful with."""
    return any(it.severity == "warning" for it in remarks(probed))


def advice_on_silence(probed: Probed) -> str:
    """What to do where nothing answered; empty: something did, or there is nothing to say."""
    if probed.persistence != "silent":
        return ""
    failures = (
        failure
        for it in probed.record.connections
        for failure in (it.failure, *(each.failure for each in it.exchanges))
        if failure is not None
    )
    failure = next(failures, None)
    return "" if failure is None or failure.kind == OTHER.code else advice_on(failure)


def found_table(probed: Probed) -> TextTable:
    """All that was looked for, a row each; empty where nothing answered."""
    rows = [*found_rows(probed)]
    columns = (
        TextColumn("found", tuple(printable(it.value) for it in rows), justify="left"),
        TextColumn("more", tuple(printable(it.note) for it in rows), justify="left"),
    )
    names = TextColumn("looked for", tuple(it.name for it in rows))
    return TextTable(FOUND, names, ((columns,),))


def found_rows(probed: Probed) -> Iterator[Row]:
    """All that was looked for, as far as there was an answer."""
    if probed.persistence == "silent":
        return
    if probed.persistence == "closed":
        yield Row("idle timeout", "none", "closed after each response")
    else:
        yield from _idle_timeout(probed.idle_timeout, known_until(probed))
        yield _silent_drop(probed.silent_drop, probed.idle_timeout)
    yield _lifetime(probed.lifetime)
    yield _request_limit(probed.request_limit)
    yield _announced(probed)
    for number, ends in enumerate(windows(probed)):
        note = "" if number else "a request sent in this window may fail"
        yield Row("  or" if number else "race window", told_apart(*ends), note)
    yield Row("round trip", duration(probed.round_trip_s))


def _idle_timeout(found: IdleTimeout, known_s: float) -> Iterator[Row]:
    still = f"{plural(found.open, 'connection')} still open" if found.open else ""
    if found.least_s is None:
        is_lost = known_s < found.looked_s
        note = "later, the path would lose a close, too" if is_lost else still
        yield Row("idle timeout", f"none up to {duration(known_s)}", note)
    if found.together:
        ends = between(found.least_s or 0.0, found.most_s or 0.0)
        yield Row("idle timeout", "not known", f"ended together, idle for {ends}")
        return
    for number, it in enumerate(found.closings):
        yield Row("  or" if number else "idle timeout", span(it), _closed(it))
    if found.closings and still:
        yield Row("  or", f"over {duration(found.looked_s)}", still)


def _announced(probed: Probed) -> Row:
    name, told = "announced", probed.announced
    said = {"timeout": told.timeout_s, "max": told.most_requests}
    words = ", ".join(f"{name}={it:,}" for name, it in said.items() if it is not None)
    if words:
        return Row(name, words, "Keep-Alive")
    if probed.persistence == "closed" and probed.record.connections[0].closes:
        return Row(name, "the close", "Connection: close")
    return Row(name, "nothing")


def windows(probed: Probed) -> list[tuple[float, float]]:
    """The race window of each backend, from when to when."""
    window = probed.window
    return [] if window is None else windows_of(probed.idle_timeout, window.round_trip_s)


def span(it: Closings) -> str:
    """When connections were ended."""
    return between(it.least_s, it.most_s)


def _closed(it: Closings) -> str:
    varied_s = it.most_s - it.least_s
    within = f" within {duration(varied_s)}" if it.connections > 1 else ""
    return f"{HOW[it.kind]}, {plural(it.connections, 'connection')}{within}"


def _silent_drop(found: SilentDrop, timeout: IdleTimeout) -> Row:
    name = "silent drop"
    if found.died_s is None:
        first = "closed before a longer reuse" if timeout.least_s is not None else ""
        chance = "one reuse died, maybe by chance" if found.deaths else first
        if not found.answered_s:
            return Row(name, "not known", chance or "no reuse was answered")
        return Row(name, f"none up to {duration(found.answered_s)}", chance)
    heard = ", unacknowledged" if found.unacknowledged else ""
    met = "is reset" if found.how == "rst" else f"hangs{heard}"
    died = f"a reuse {met}: {found.deaths:,} did"
    return Row(name, between(found.answered_s, found.died_s), died)


def _lifetime(found: Lifetime | None) -> Row:
    name = "lifetime"
    if found is None:
        return Row(name, NOT_TESTED, "use --max-age TIME")
    if found.by_requests is not None:
        each = f"each ended after {plural(found.by_requests, 'request')}: try --scan-requests"
        return Row(name, "not known", each)
    if found.least_s is None or found.most_s is None:
        used = f"while in use, {plural(found.requests, 'request')}"
        ended = f"; {found.ended} ended before, at no common age" if found.ended else ""
        return Row(name, f"none up to {duration(found.looked_s)}", f"{used}{ended}")
    said = "`Connection: close` was sent" if found.announced else "not announced"
    return Row(name, between(found.least_s, found.most_s), f"while in use; {said}")


def _request_limit(found: RequestLimit | None) -> Row:
    name = "request limit"
    if found is None:
        return Row(name, NOT_TESTED, "use --scan-requests N")
    if found.ended is not None:
        once = f"one connection ended after {plural(found.ended, 'request')}, maybe by chance"
        return Row(name, "not known", once)
    if found.limit is None:
        return Row(name, f"none up to {found.looked:,}", "on one connection")
    said = "announced" if found.announced else "not announced"
    twice = "seen twice" if found.confirmed else "seen once"
    return Row(name, plural(found.limit, "request"), f"{said}, {twice}")


def groups_of(behaviours: tuple[Behaviour, ...]) -> Iterator[tuple[str, list[Behaviour]]]:
    """What was tried, by group."""
    for group, found in groupby(behaviours, lambda it: it.group):
        yield group, [*found]


def kept(it: Behaviour) -> str:
    """Whether a connection was kept, in a word."""
    return {True: "kept", False: "closed", None: MISSING}[it.keeps]


def behaviour_table(probed: Probed) -> TextTable:
    """All that was tried, a row each."""
    found = probed.behaviours
    columns = (
        TextColumn("tried", tuple(printable(it.name) for it in found), justify="left"),
        TextColumn("connection", tuple(map(kept, found)), justify="left"),
        TextColumn("what came of it", tuple(printable(it.text) for it in found), justify="left"),
    )
    groups = TextColumn("group", tuple(it.group for it in found))
    return TextTable(KEEPS, groups, ((columns,),))


def requested(probed: Probed) -> str:
    """What was asked for."""
    return printable(f"GET {probed.record.asked.url}")


def sent(probed: Probed) -> str:
    """What it took, and when."""
    info = probed.record.info
    return (
        f"{plural(probed.connections, 'connection')} and {plural(probed.requests, 'request')} in "
        f"{duration(info.wall_s)}, from {started(probed)}."
    )


def started(probed: Probed) -> str:
    """When it began."""
    return f"{probed.record.info.started_at[:_MINUTES].replace('T', ' ')} UTC"


def connection_table(probed: Probed) -> TextTable:
    """A row for each connection, in the order in which they were begun."""
    seen = probed.record.connections
    about = (
        TextColumn("for", tuple(map(_part, seen)), justify="left"),
        TextColumn("to", tuple(printable(it.peer or MISSING) for it in seen), justify="left"),
    )
    life = (
        TextColumn("opened at", tuple(duration(it.opened_s) for it in seen)),
        TextColumn("answered", tuple(f"{it.carried:,} of {it.requests:,}" for it in seen)),
        TextColumn("idle for", tuple(duration(_idle(it)) for it in seen)),
        TextColumn("age", tuple(duration(it.age_s or None) for it in seen)),
        TextColumn("end", tuple(end_of(it) for it in seen), justify="left"),
    )
    numbers = TextColumn("#", tuple(f"{number}" for number, _ in enumerate(seen, 1)))
    return TextTable(SENT, numbers, ((about, life),))


def _part(it: Seen) -> str:
    return printable(it.name) if it.name else PARTS[it.part]


def _idle(it: Seen) -> float | None:
    """How long it was idle: at last, or before it was asked again."""
    last = it.exchanges[-1] if it.exchanges else None
    if it.ended is not None or it.part == "watched":
        return it.watched_s or None
    return it.watched_s or (last.idle_s if last else None)


def end_of(it: Seen) -> str:
    """How a connection ended, in a few words."""
    if it.failure is not None:
        return f"not opened ({it.failure.kind})"
    if it.ended is not None:
        return HOW[it.ended.kind]
    if it.exchanges and (failure := it.exchanges[-1].failure) is not None:
        return f"no response ({failure.kind})"
    return "closed as announced" if it.closes else "closed by kab"
