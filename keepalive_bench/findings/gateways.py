"""What kab noticed of responses from a gateway, a rate limit or an overloaded server."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.analysis.history import closer_of
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.findings.refusals import answers_of, refusal_of, waited_s
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.units import enumerated, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_TOO_MANY, _BAD_GATEWAY, _UNAVAILABLE, _GATEWAY_TIMEOUT = 429, 502, 503, 504
_OF_GATEWAYS = (_BAD_GATEWAY, _UNAVAILABLE, _GATEWAY_TIMEOUT)
_SAID = {
    _BAD_GATEWAY: "refused",
    _UNAVAILABLE: "unavailable",
    _GATEWAY_TIMEOUT: "late",
}

SERVER_OVERLOADED = FindingKind(
    code="server-overloaded",
    title="The server rejected requests (429, or 503 with `Retry-After`)",
    who="server",
    evidence=("arm", "count"),
    text="The server rejected {count:request} of {arm} ({statuses}): it limits the rate, or is "
    "overloaded{or_off}.",
    advice="Use a --rate below its limit, fewer --requests, or a lower --concurrency.",
    clauses={"or_off": ", or temporarily out of service"},
    provoked=Provoked("URL -n 6", "--status 429"),
)
GATEWAY_ERRORS = FindingKind(
    code="gateway-errors",
    title="Responses were 502, 503 or 504",
    who="proxy",
    evidence=("arm", "count", "answered", "statuses"),
    proof="What each can mean, as far as `Server` or `--server` tells who gave it.",
    text="{count} of {answered:response} to {arm} were {which}: {refused}{unavailable}{late}.",
    advice="{overload}{idle}{slow}",
    cases={
        "all": Case(
            text="All {answered:response} were {which}: {refused}{unavailable}{late}.",
            advice="{overload}{down}{slow}",
        )
    },
    clauses={
        "refused": "{with_502}the server behind a gateway refused or broke the connection",
        "unavailable": "{and_unavailable}{with_503}{means}",
        "late": "{and_late}{with_504}the server behind a gateway didn't respond in time (after "
        "{waited_s})",
        "overload": "If fewer --requests, a --rate or a lower --concurrency helps, it is a limit "
        "or the load.",
        "idle": "{and_idle}Is a server behind the gateway down, or restarting? If not, the gateway "
        "may reuse connections that the server is closing: the server must keep idle connections "
        "longer than the gateway does, and allow as many requests on each.{upstream} Both logs say "
        "more.",
        "down": "{and_idle}Is the server behind the gateway running?",
        "slow": "{and_slow}Does the server behind the gateway hang, or need longer than that? The "
        "gateway's own setting decides how long it waits.{upstream_wait}",
    },
    provoked=Provoked("URL -n 6", "--fault status=502 --fault-requests 3"),
)
NO_BACKEND = FindingKind(
    code="no-backend",
    title="All responses say that a gateway or proxy reaches no server (502, or 503 from some "
    "products)",
    who="proxy",
    evidence=("answered", "statuses"),
    text="All {answered:response} were {which}: a gateway can't reach any server behind "
    "it{or_full}.{no_limit}",
    advice="Is the server behind the gateway running, and does the gateway have its address?",
    cases={
        "forwarded": Case(
            text="All {answered:response} were {which}: {who} can't reach {target}, or the server "
            "there sent them itself.",
            advice="Does a server listen at {target}, and may the proxy connect to it?",
        )
    },
    clauses={
        "or_full": ", or all of them are full ({said} sends 503 for both)",
        "no_limit": " That isn't a rate limit.",
    },
    provoked=Provoked("URL -n 6", "--status 502"),
)


def gateway_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    total = Counter[int]()
    for arm in arms:
        total.update(arm.status_codes)
    to_retry = sum(map(_to_retry, arms))
    if total and total.keys() <= {*_OF_GATEWAYS} and not to_retry:
        yield _all(run, arms, total)
        return
    yield from _rejected(arms)
    for arm in arms:
        counts = {status: arm.status_codes.get(status, 0) for status in _OF_GATEWAYS}
        counts[_UNAVAILABLE] -= _to_retry(arm)
        counts = {status: count for status, count in counts.items() if count > 0}
        if counts:
            yield _errors(run, [arm], counts, sum(arm.status_codes.values()))


def _rejected(arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Those that say themselves that there were too many; once, if to all arms."""
    found = []
    for arm in arms:
        counts = {_TOO_MANY: arm.status_codes.get(_TOO_MANY, 0), _UNAVAILABLE: _to_retry(arm)}
        if any(counts.values()):
            found.append((arm, +Counter(counts)))
    for group in [found] if len(found) == len(arms) else [[it] for it in found]:
        total = Counter[int]()
        for _, counts in group:
            total.update(counts)
        yield SERVER_OVERLOADED.found(
            group[0][0] if len(group) == 1 else None,
            count=total.total(),
            clauses=["or_off"] if _UNAVAILABLE in total else [],
            words={"statuses": _listed(total), "arm": enumerated([arm.name for arm, _ in group])},
        )


def _all(run: Run, arms: Sequence[ArmSummary], counts: Counter[int]) -> Finding:
    """Of a run that got nothing else."""
    said, product = by = refusal_of(run, arms, _OF_GATEWAYS)
    closer, target = closer_of(run.plan), run.plan.target
    who = closer.name
    is_unreached = _GATEWAY_TIMEOUT not in counts and (
        _UNAVAILABLE not in counts or by.says_unreached
    )
    if closer.who == "proxy" and (product is None or product.place == "proxy"):
        case: str | None = "forwarded"
    elif is_unreached:
        case = None
    else:
        return _errors(run, arms, counts, counts.total(), case="all")
    return NO_BACKEND.found(
        answered=counts.total(),
        statuses=_listed(counts),
        case=case,
        clauses=["or_full" if _UNAVAILABLE in counts else "no_limit"],
        words={
            "which": _which(counts),
            "said": said,
            "who": who[0].lower() + who[1:],
            "target": printable(f"{target.host}:{target.port}"),
        },
    )


def _errors(
    run: Run,
    arms: Sequence[ArmSummary],
    counts: Mapping[int, int],
    answered: int,
    case: str | None = None,
) -> Finding:
    """What the statuses can mean, each by itself."""
    from keepalive_bench.findings.cures import cure_of_gateway  # noqa: PLC0415  # most do without

    has_502, has_503, has_504 = (status in counts for status in _OF_GATEWAYS)
    by = refusal_of(run, arms, (_UNAVAILABLE,))
    is_unreached = has_502 or (has_503 and by.says_unreached)
    clauses = [_SAID[status] for status in counts if status in _SAID]
    clauses += ["overload"] * has_503 + ["idle", "down"] * is_unreached + ["slow"] * has_504
    answers = answers_of(run, arms, counts)
    return GATEWAY_ERRORS.found(
        arms[0] if case is None else None,
        case=case,
        count=sum(counts.values()),
        answered=answered,
        statuses=_listed(counts),
        clauses=clauses,
        who=None if is_unreached or has_504 else "server",
        words={
            "which": _which(counts),
            **{f"with_{it}": "" if len(counts) == 1 else f"with {it}, " for it in counts},
            "means": by.means if has_503 else "",
            "waited_s": waited_s(run, (_GATEWAY_TIMEOUT,)) if has_504 else 0.0,
            "and_unavailable": "; " if has_502 else "",
            "and_late": "; " if has_502 or has_503 else "",
            "and_idle": " " if has_503 else "",
            "and_slow": " " if has_502 or has_503 else "",
            "upstream": cure_of_gateway(run.plan, answers, ("upstream",)),
            "upstream_wait": cure_of_gateway(run.plan, answers, ("upstream_wait",)),
        },
    )


def _to_retry(arm: ArmSummary) -> int:
    """How many 503s said when to try again: so many were rejected by a limit or for overload."""
    return sum(count for answer, count in arm.answers.items() if answer.retry_after)


def _which(counts: Mapping[int, int]) -> str:
    return _listed(counts) if len(counts) > 1 else f"{next(iter(counts))}"


def _listed(counts: Mapping[int, int]) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in sorted(counts.items()))
