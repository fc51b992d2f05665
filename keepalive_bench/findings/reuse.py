"""What reopened connections cost the pooled arms: a finding for each reason, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepalive_bench.connections.reason_kinds import (
    CLOSE_DELIMITED,
    ERROR_RESPONSE,
    IDLE_TIMEOUT,
    REASON_KINDS,
    RECYCLED,
    UNKNOWN,
    UNREAD_REQUEST,
    ReasonKind,
)
from keepalive_bench.findings.announced import in_words
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.findings.reason_words import (
    BODILESS,
    RECYCLING,
    SHOWN_DATA,
    UNREAD,
    after,
    all_seen,
    fitting,
    fitting_alike,
    how_often,
    listed,
    numbers_in,
    range_of,
    survived,
    times_of,
)
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.run import Run

_ENOUGH = 20
"""Requests that meet a limit several times."""
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
    served = sorted(set(map(int, numbers_in(seen, "requests"))))
    case = _AFTER_ONE if served == [1] else _AFTER_SEVERAL if len(served) > 1 else None
    known: dict[str, Any] = {
        "requests": served[0] if len(served) == 1 else None,
        "maxsize": experiment.pool_size,
        "concurrency": experiment.concurrency,
        "statuses": listed(sorted({f"{it['status']}" for it in seen if it.get("status")})),
        "fits": ", ".join(sorted({f"{it['fits']}" for it in seen if "fits" in it})) or code,
        **times_of(seen),
    }
    data = f"{seen[0].get('seen', seen[0].get('connection', ''))}"
    return kind.found(
        arm,
        connections=len(rows),
        case=case if case in kind.cases else None,
        who=reasons[rows[0]].who,
        words={
            "times": f"{arm.name}, {how_often(times)}{_fewer_reopened(times, len(rows))}",
            "after": after(served, times),
            "seen": printable(data[:SHOWN_DATA]),
            "all_seen": all_seen(seen) if code == UNKNOWN.code else "",
            "closer": reasons.owner.closer.name,
            "own_header": run.plan.request.closing_header or "",
            "idle": range_of(seen, "closed_after_s", "idle_s"),
            "age": range_of(seen, "age_s"),
            "also": _also([it for it in seen if "fits" in it], code, experiment),
            "perhaps": "perhaps " if any("fits" in it for it in seen) else "",
            "fitting": fitting_alike(seen),
            "survived": survived(known["survived_s"]) if "survived_s" in known else "",
            "option": in_words(f"{seen[0].get('option', '')}"),
            "bodiless": BODILESS if any(it.get("bodiless") for it in seen) else "",
            "unread": UNREAD[code] if any(it.get("unread") for it in seen) else "",
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


def _fewer_reopened(times: int, reopened: int) -> str:
    """That nobody opened another in place of the last ones, if that is so."""
    return f"; {reopened:,} reopened" if reopened < times else ""


def _also(seen: Sequence[Mapping[str, object]], code: str, experiment: Experiment) -> str:
    """The other causes that fit, and what would tell them apart."""
    others = fitting(seen, besides=code)
    codes = ", ".join(f"{it['fits']}" for it in seen)
    telling = f"{_apart(seen, experiment)} tells"
    if code == RECYCLED.code or others == [RECYCLING]:
        telling = (
            "more requests tell" if experiment.concurrency == 1 else "one at a time (-c 1) tells"
        )
    elif ERROR_RESPONSE.code in codes or UNREAD_REQUEST.code in codes:
        telling = "a GET that succeeds tells"
    elif CLOSE_DELIMITED.code in codes:
        telling = "a response with a Content-Length tells"
    return f"; {listed(others)} would fit as well ({telling} them apart)" if others else ""


def _apart(seen: Sequence[Mapping[str, object]], experiment: Experiment) -> str:
    """Pauses that vary, as long as several of them make up the time in question, and enough."""
    times = (*numbers_in(seen, "age_s"), *numbers_in(seen, "closed_after_s", "idle_s"))
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
