"""What reopened connections cost the pooled arms: a finding for each reason, in words."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

from keepalive_bench.connections.reason_kinds import (
    CLOSE_DELIMITED,
    ERROR_RESPONSE,
    HTTP_1_0,
    IDLE_TIMEOUT,
    MAX_AGE,
    REASON_KINDS,
    RECYCLED,
    REQUEST_LIMIT,
    SERVER_CLOSE,
    STALE_RACE,
    UNKNOWN,
    UNREAD_REQUEST,
    ReasonKind,
)
from keepalive_bench.findings.announced import in_words
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.units import between, duration, enumerated, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.run import Run

_SHOWN_DATA = 60
_MOST_SEEN = 3
_ENOUGH = 20
"""Requests that meet a limit several times."""
_RECYCLING = "a restart or a limit on kept connections"

_BODILESS = ", after a response that has no body (to HEAD, 204 or 304)"
_UNREAD = {
    SERVER_CLOSE.code: " in a second field, which http.client ignores",
    HTTP_1_0.code: ", and its keep-alive is in a second field, which http.client ignores",
}
_TIMED_OUT = " This 408 means that its idle timeout was over: raise it, or expect to reconnect."

STALE_BY_INTERLEAVING = FindingKind(
    code="stale-by-interleaving",
    title="Connections went stale only while kab ran another arm",
    who="kab",
    evidence=("arm", "connections"),
    proof=f"`{IDLE_TIMEOUT.code}`, but for that; it isn't held against the server.",
    text="{connections:connection} of {arm} went stale only because kab ran {others} in between. "
    "That isn't held against the server.",
    advice="--order sequential runs the arms one after the other.",
    advice_in_sweeps="With fewer values in the sweep, each has its next turn sooner.",
    provoked=Provoked("URL -n 4", "--delay 0.2 --idle-timeout 0.15"),
)


_AFTER_ONE = "connections carried one request each"
_AFTER_SEVERAL = "connections carried different numbers of requests"


def _of_reason(reason: ReasonKind) -> FindingKind:
    return FindingKind(
        code=reason.code,
        title=reason.title,
        who=reason.who,
        evidence=("arm", "connections", *reason.numbers),
        text=f"{reason.text}.",
        advice=f"{reason.advice}{{cure}}" if reason.settings else reason.advice,
        cases={
            case: Case(advice=f"{advice}{{cure}}")
            for case, advice in (
                (_AFTER_ONE, reason.advice_after_one),
                (_AFTER_SEVERAL, reason.advice_after_several),
            )
            if advice
        },
        is_in_sweeps=not reason.is_by_pool_size,
        provoked=reason.provoked,
    )


OF_REASONS: Mapping[str, FindingKind] = {
    reason.code: _of_reason(reason) for reason in REASON_KINDS if reason.text
}
"""What a pooled arm's connections were opened for, by the reason's code; not all cost something."""


def reuse_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """A finding for each reason that cost a pooled arm a connection."""
    for arm in (arm for arm in arms if arm.traits.reuses):
        yield from _interleaved(arm)
        for code in arm.reason_counts:
            if code in OF_REASONS and (rows := arm.reasons.rows(code)):
                yield _costly(run, arm, code, rows)


def _costly(run: Run, arm: ArmSummary, code: str, rows: Sequence[int]) -> Finding:
    from keepalive_bench.findings.cures import cure_of_reason  # noqa: PLC0415  # most do without

    kind, reasons, experiment = OF_REASONS[code], arm.reasons, run.plan.experiment
    seen = [reasons[row].evidence for row in rows]
    times = reasons.ended(code)
    served = sorted(set(map(int, _values(seen, "requests"))))
    case = _AFTER_ONE if served == [1] else _AFTER_SEVERAL if len(served) > 1 else None
    known: dict[str, Any] = {
        "requests": served[0] if len(served) == 1 else None,
        "maxsize": experiment.pool_size,
        "concurrency": experiment.concurrency,
        "statuses": _listed(sorted({f"{it['status']}" for it in seen if it.get("status")})),
        "fits": ", ".join(sorted({f"{it['fits']}" for it in seen if "fits" in it})) or code,
        **_times(seen),
    }
    data = f"{seen[0].get('seen', seen[0].get('connection', ''))}"
    return kind.found(
        arm,
        connections=len(rows),
        case=case if case in kind.cases else None,
        who=reasons[rows[0]].who,
        words={
            "times": f"{arm.name}, {_how_often(times)}{_fewer_reopened(times, len(rows))}",
            "after": _after(served, times),
            "seen": printable(data[:_SHOWN_DATA]),
            "all_seen": _all_seen(seen) if code == UNKNOWN.code else "",
            "closer": reasons.owner.closer.name,
            "own_header": run.plan.request.closing_header or "",
            "idle": _range(seen, "closed_after_s", "idle_s"),
            "age": _range(seen, "age_s"),
            "also": _also([it for it in seen if "fits" in it], code, experiment),
            "perhaps": "perhaps " if any("fits" in it for it in seen) else "",
            "fitting": _fitting_alike(seen),
            "survived": _survived(known["survived_s"]) if "survived_s" in known else "",
            "option": in_words(f"{seen[0].get('option', '')}"),
            "bodiless": _BODILESS if any(it.get("bodiless") for it in seen) else "",
            "unread": _UNREAD[code] if any(it.get("unread") for it in seen) else "",
            "timed_out": _timed_out(run, arm, data),
            "apart": _apart(seen, experiment),
            "cure": cure_of_reason(run, arm, rows),
        },
        **{name: value for name, value in known.items() if name in kind.evidence},
    )


def _timed_out(run: Run, arm: ArmSummary, data: str) -> str:
    """What a 408 says that came while a connection was idle."""
    from keepalive_bench.findings.cures import cure  # noqa: PLC0415  # most do without

    is_timeout = data.startswith(("HTTP/1.0 408", "HTTP/1.1 408"))
    return _TIMED_OUT + cure(run.plan, arm.answers, IDLE_TIMEOUT.settings) if is_timeout else ""


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
    return f"; those idle for {duration(longest_s)} or less didn't" if longest_s else ""


def _all_seen(seen: Sequence[Mapping[str, object]]) -> str:
    """What was seen of them, each once; the most frequent first."""
    counts = Counter(f"{it.get('seen', '')}"[:_SHOWN_DATA] for it in seen)
    shown = [printable(said) for said, _ in counts.most_common(_MOST_SEEN)]
    return _listed([*shown, "others"] if len(counts) > _MOST_SEEN else shown)


def _fewer_reopened(times: int, reopened: int) -> str:
    """That nobody opened another in place of the last ones, if that is so."""
    return f"; {reopened:,} reopened" if reopened < times else ""


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
        ERROR_RESPONSE.code: "a close after error responses",
        UNREAD_REQUEST.code: "request bodies left unread",
        CLOSE_DELIMITED.code: "responses without a length",
        RECYCLED.code: _RECYCLING,
        STALE_RACE.code: "requests that crossed the server's close",
    }
    return [text for code, text in words.items() if code in codes - {besides}]


def _fitting_alike(seen: Sequence[Mapping[str, object]]) -> str:
    """The causes that fit alike; one alone is undecided where others met an idle timeout."""
    fitting = _fitting(seen)
    if len(fitting) == 1:
        return f"{fitting[0]} would explain it, or the idle timeout that ended others"
    return f"{_listed(fitting)} would each explain it"


def _listed(words: Sequence[str]) -> str:
    return enumerated(words) if words else ""


def _also(seen: Sequence[Mapping[str, object]], code: str, experiment: Experiment) -> str:
    """The other causes that fit, and what would tell them apart."""
    others = _fitting(seen, besides=code)
    codes = ", ".join(f"{it['fits']}" for it in seen)
    telling = f"{_apart(seen, experiment)} tells"
    if code == RECYCLED.code or others == [_RECYCLING]:
        telling = (
            "more requests tell" if experiment.concurrency == 1 else "one at a time (-c 1) tells"
        )
    elif ERROR_RESPONSE.code in codes or UNREAD_REQUEST.code in codes:
        telling = "a GET that succeeds tells"
    elif CLOSE_DELIMITED.code in codes:
        telling = "a response with a Content-Length tells"
    return f"; {_listed(others)} would fit as well ({telling} them apart)" if others else ""


def _apart(seen: Sequence[Mapping[str, object]], experiment: Experiment) -> str:
    """Pauses that vary, as long as several of them make up the time in question, and enough."""
    times = (*_values(seen, "age_s"), *_values(seen, "closed_after_s", "idle_s"))
    span_s = max(times, default=1.0)
    more = f"-n {_ENOUGH} " if experiment.requests < _ENOUGH else ""
    return f"{more}--think-time {span_s / 10:.1g}s-{span_s / 2:.1g}s"


def _interleaved(arm: ArmSummary) -> Iterator[Finding]:
    count = len(arm.reasons.caused_by_interleaving)
    if count:
        yield STALE_BY_INTERLEAVING.found(
            arm,
            connections=count,
            words={"others": "the other arm" if arm.option is None else "other values"},
        )
