"""What reopened connections cost the pooled arms, and what the server announces of that."""

from __future__ import annotations

from collections import Counter
from math import isnan
from statistics import median
from typing import TYPE_CHECKING, Any

from keepalive_bench.connections.announcements import announced_max, announced_timeout
from keepalive_bench.connections.reason_kinds import (
    IDLE_TIMEOUT,
    MAX_AGE,
    REASON_KINDS,
    RECYCLED,
    REQUEST_LIMIT,
    UNKNOWN,
    ReasonKind,
)
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.units import between, duration, enumerated, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_SHOWN_DATA = 60
_MOST_SEEN = 3
_RECYCLING = "a restart or a limit on kept connections"
_WELL_BEFORE, _WELL_AFTER = 0.8, 1.2
_SLACK_S = 0.5
"""Servers look at their clocks now and then, and count in whole seconds."""

_UNREAD = ", in a second field, which http.client doesn't read: it would have kept the connection"

KEEP_ALIVE_TIMEOUT_DIFFERS = FindingKind(
    code="keep-alive-timeout-differs",
    title="The server announces another idle timeout than it has",
    who="server",
    evidence=("arm", "announced_s", "seen_s"),
    proof="Connections were closed after less than 0.8 of the time that `Keep-Alive: timeout` "
    "announces, or could be used again after more than 1.2 of it.",
    text="The server announces Keep-Alive: timeout={announced!s}, but closed "
    "{closed:connection} of {arm} that had been idle for {seen_s} or less.",
    advice="Clients that trust it send requests into closed connections. Have the server, and what "
    "stands before it, announce what they do.",
    cases={
        "closed later": Case(
            severity="info",
            text="The server announces Keep-Alive: timeout={announced!s}, but a connection of "
            "{arm} was good for another request after {seen_s}.",
            advice="Clients that trust it give connections up too early.",
        )
    },
    provoked=Provoked("URL -n 4", "--delay 0.2 --idle-timeout 0.15 --keep-alive-header timeout=60"),
)
KEEP_ALIVE_MAX_DIFFERS = FindingKind(
    code="keep-alive-max-differs",
    title="The server announces a larger maximum of requests than it has",
    who="server",
    evidence=("arm", "announced", "seen"),
    proof="Connections are closed, without a word, after fewer responses than `Keep-Alive: max` "
    "announces.",
    text="The server closes connections of {arm} after {seen:response}, the last of which "
    "announced Keep-Alive: max={announced!s}.",
    advice="What stands before the server may have a limit of its own: set both alike.",
    provoked=Provoked(
        "URL -n 6 --seed 0", "--delay 0.05 --silent-close-after 2 --keep-alive-header max=100"
    ),
)
STALE_BY_INTERLEAVING = FindingKind(
    code="stale-by-interleaving",
    title="Connections went stale only while kab ran the other arm",
    who="kab",
    evidence=("arm", "connections"),
    proof=f"`{IDLE_TIMEOUT.code}`, but for that; it doesn't count against the server.",
    text="{connections:connection} of {arm} went stale only because kab ran {others} in between, "
    "which is not the server's fault and doesn't count against it.",
    advice="--order sequential runs the arms one by one.",
    advice_in_sweeps="In a sweep over fewer values, each has its turn again sooner.",
    provoked=Provoked("URL -n 4", "--delay 0.2 --idle-timeout 0.15"),
)


_AFTER_ONE = "one request each"


def _of_reason(reason: ReasonKind) -> FindingKind:
    return FindingKind(
        code=reason.code,
        title=reason.title,
        who=reason.who,
        evidence=("arm", "connections", *reason.numbers),
        text=f"{reason.text}.",
        advice=f"{reason.advice}{{cure}}" if reason.settings else reason.advice,
        advice_in_sweeps=reason.advice_in_sweeps,
        cases={_AFTER_ONE: Case(advice=f"{reason.advice_after_one}{{cure}}")}
        if reason.advice_after_one
        else {},
        is_in_sweeps=not reason.is_by_pool_size,
        provoked=reason.provoked,
    )


OF_REASONS: Mapping[str, FindingKind] = {
    reason.code: _of_reason(reason) for reason in REASON_KINDS if reason.text
}
"""What a pooled arm's connections were opened for, by the reason's code; not all cost something."""


def reuse_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """A finding for each reason that cost a pooled arm a connection, and for untrue fields."""
    pooled = [arm for arm in arms if arm.traits.reuses]
    for arm in pooled:
        yield from _interleaved(arm)
        for code in arm.reason_counts:
            if code in OF_REASONS and (rows := arm.reasons.rows(code)):
                yield _costly(run, arm, code, rows)
    for arm in pooled:
        yield from _timeout(run, arm)
        yield from _maximum(run, arm)


def _costly(run: Run, arm: ArmSummary, code: str, rows: Sequence[int]) -> Finding:
    from keepalive_bench.findings.cures import cure_of_reason  # noqa: PLC0415  # most do without

    kind, reasons, experiment = OF_REASONS[code], arm.reasons, run.plan.experiment
    seen = [reasons[row].evidence for row in rows]
    times = reasons.ended(code)
    served = sorted(set(map(int, _values(seen, "requests"))))
    known: dict[str, Any] = {
        "requests": served[0] if len(served) == 1 else None,
        "maxsize": experiment.pool_size,
        "concurrency": experiment.concurrency,
        "statuses": _listed(sorted({f"{it['status']}" for it in seen if it.get("status")})),
        "fits": ", ".join(sorted({f"{it['fits']}" for it in seen if "fits" in it})),
        **_times(seen),
    }
    data = f"{seen[0].get('seen', seen[0].get('connection', ''))}"
    return kind.found(
        arm,
        connections=len(rows),
        case=_AFTER_ONE if served == [1] and _AFTER_ONE in kind.cases else None,
        who=reasons[rows[0]].who,
        words={
            "times": f"{arm.name}, {_how_often(times)}",
            "after": _after(served, times),
            "seen": printable(data[:_SHOWN_DATA]),
            "all_seen": _all_seen(seen) if code == UNKNOWN.code else "",
            "closer": reasons.owner.closer.name,
            "idle": _range(seen, "closed_after_s", "idle_s"),
            "age": _range(seen, "age_s"),
            "also": _also([it for it in seen if "fits" in it], code, experiment.concurrency),
            "fitting": _fitting_alike(seen),
            "survived": _survived(known["survived_s"]) if "survived_s" in known else "",
            "unread": _UNREAD if any(it.get("unread") for it in seen) else "",
            "apart": _apart(seen),
            "cure": cure_of_reason(run, arm, rows),
        },
        **{name: value for name, value in known.items() if name in kind.evidence},
    )


def _times(seen: Sequence[Mapping[str, object]]) -> dict[str, float | None]:
    """What their evidence has of times: after how long they were closed, if that is known."""
    idle = _values(seen, "closed_after_s", "idle_s")
    ages, survived, died = (_values(seen, name) for name in ("age_s", "survived_s", "died_s"))
    return {
        "idle_s": median(idle) if idle else None,
        "shortest_s": min(idle, default=None),
        "longest_s": max(idle, default=None),
        "age_s": median(ages) if ages else None,
        "survived_s": max(survived, default=None),
        "died_s": min(died, default=None),
    }


def _values(seen: Sequence[Mapping[str, object]], *names: str) -> list[float]:
    """Of each evidence, the first of these numbers that it has."""
    found = (next((it[name] for name in names if name in it), None) for it in seen)
    return [value for value in found if isinstance(value, (int, float))]


def _range(seen: Sequence[Mapping[str, object]], *names: str) -> str:
    """A time, or from which to which time: `1.00 to 1.10 s`."""
    values = _values(seen, *names)
    return between(min(values), max(values)) if values else "some time"


def _survived(longest_s: float | None) -> str:
    return f", and those idle for {duration(longest_s)} or less didn't" if longest_s else ""


def _all_seen(seen: Sequence[Mapping[str, object]]) -> str:
    """What was seen of them, each once; the most frequent first."""
    counts = Counter(f"{it.get('seen', '')}"[:_SHOWN_DATA] for it in seen)
    shown = [printable(said) for said, _ in counts.most_common(_MOST_SEEN)]
    return _listed([*shown, "others"] if len(counts) > _MOST_SEEN else shown)


def _how_often(times: int) -> str:
    return "once" if times == 1 else plural(times, "time")


def _after(served: Sequence[int], times: int) -> str:
    """After how many requests: `every` takes several that are alike."""
    if not served:
        return ""
    least, most = served[0], served[-1]
    if least < most:
        return f" after {least:,} to {most:,} requests"
    if times == 1:
        return f" after {plural(least, 'request')}"
    return " after every request" if least == 1 else f" after every {least:,} requests"


def _fitting(seen: Sequence[Mapping[str, object]], besides: str = "") -> list[str]:
    """The causes that fit what was seen, in words: `a maximum age of 1.20 s`."""
    codes = {each for it in seen for each in f"{it.get('fits', '')}".split(", ") if each}
    served = sorted(map(int, _values(seen, "requests")))
    words = {
        REQUEST_LIMIT.code: f"a limit of {plural(served[0], 'request')}" if served else "",
        IDLE_TIMEOUT.code: f"an idle timeout of {_range(seen, 'closed_after_s', 'idle_s')}",
        MAX_AGE.code: f"a maximum age of {_range(seen, 'age_s')}",
        RECYCLED.code: _RECYCLING,
    }
    return [text for code, text in words.items() if code in codes - {besides}]


def _fitting_alike(seen: Sequence[Mapping[str, object]]) -> str:
    """The causes that fit alike; one alone is undecided where others met an idle timeout."""
    fitting = _fitting(seen)
    if len(fitting) == 1:
        return f"{fitting[0]} would explain it, and so may the idle timeout that others met"
    return f"{_listed(fitting)} would each explain it"


def _listed(words: Sequence[str]) -> str:
    return enumerated(words) if words else ""


def _also(seen: Sequence[Mapping[str, object]], code: str, concurrency: int) -> str:
    """The other causes that fit, and what would tell them apart."""
    others = _fitting(seen, besides=code)
    telling = f"{_apart(seen)} tells"
    if others == [_RECYCLING]:
        telling = "more requests tell" if concurrency == 1 else "one at a time (-c 1) tells"
    return f"; {_listed(others)} would fit, too ({telling} them apart)" if others else ""


def _apart(seen: Sequence[Mapping[str, object]]) -> str:
    """The option whose pauses vary, as long as several of them make up the time in question."""
    times = (*_values(seen, "age_s"), *_values(seen, "closed_after_s", "idle_s"))
    span_s = max(times, default=1.0)
    return f"--think-time {span_s / 10:.1g}s-{span_s / 2:.1g}s"


def _interleaved(arm: ArmSummary) -> Iterator[Finding]:
    count = len(arm.reasons.caused_by_interleaving)
    if count:
        yield STALE_BY_INTERLEAVING.found(
            arm,
            connections=count,
            words={"others": "the other arm" if arm.option is None else "other values"},
        )


def _timeout(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """A timeout, announced in the server's Keep-Alive field, at odds with what was seen."""
    announced = _usual_timeout(arm)
    if announced is None:
        return
    closed = _closed_after(run, arm)
    longest = max(closed, default=0.0)
    if closed and longest < min(_WELL_BEFORE * announced, announced - _SLACK_S):
        yield KEEP_ALIVE_TIMEOUT_DIFFERS.found(
            arm,
            announced_s=announced,
            seen_s=longest,
            words={"announced": announced, "closed": len(closed)},
        )
        return
    survived = arm.reasons.survived_s
    if survived > max(_WELL_AFTER * announced, announced + _SLACK_S):
        yield KEEP_ALIVE_TIMEOUT_DIFFERS.found(
            arm,
            announced_s=announced,
            seen_s=survived,
            case="closed later",
            words={"announced": announced},
        )


def _closed_after(run: Run, arm: ArmSummary) -> list[float]:
    """After how long without a request connections were closed for that reason, where known."""
    reasons, closed_after = arm.reasons, run.connections.closed_after_s
    if IDLE_TIMEOUT.code not in reasons.codes:
        return []
    number = reasons.codes.index(IDLE_TIMEOUT.code)
    rows = (row for row, code in enumerate(reasons.column) if code == number)
    found = (closed_after[reasons.previous[row]] for row in rows)
    return [after for after in found if not isnan(after)]


def _usual_timeout(arm: ArmSummary) -> int | None:
    counts: dict[int, int] = {}
    for answer, count in arm.answers.items():
        announced = announced_timeout(answer)
        if announced is not None:
            counts[announced] = counts.get(announced, 0) + count
    return max(counts, key=counts.__getitem__, default=None)


def _maximum(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """Connections that always end, without a word, before an announced maximum is reached."""
    rows = arm.reasons.rows(REQUEST_LIMIT.code)
    reason = arm.reasons[rows[0]] if rows else None
    if reason is None or reason.exchange is None or reason.previous is None:
        return
    announced = announced_max(run.exchanges[reason.exchange].outcome.answer)
    if announced is not None:
        served = run.connections.exchanges[reason.previous]
        yield KEEP_ALIVE_MAX_DIFFERS.found(arm, announced=announced, seen=served)
