"""What kab noticed of answers that a gateway, a limit or an overloaded server gives."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kind import FindingKind
from keepalive_bench.results.failure_kinds import Provoked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.run import Run

_TOO_MANY, _BAD_GATEWAY, _UNAVAILABLE, _GATEWAY_TIMEOUT = 429, 502, 503, 504
_OF_GATEWAYS = (_BAD_GATEWAY, _UNAVAILABLE, _GATEWAY_TIMEOUT)
_SAYS = "a gateway says "
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
    "overloaded.",
    advice="A --rate below its limit, fewer --requests, or a lower --concurrency avoids that.",
    provoked=Provoked("URL -n 6", "--status 429"),
)
GATEWAY_ERRORS = FindingKind(
    code="gateway-errors",
    title="Among other answers were some of a gateway that got none (502, 503, 504)",
    who="proxy",
    evidence=("arm", "count", "answered", "statuses"),
    text="Among {answered:answer} to {arm} were {statuses}: {refused}{unavailable}{late}.",
    advice="{idle}{overload}{slow}",
    clauses={
        "refused": "with 502, a gateway says that the server behind it refused the connection, or "
        "broke it off",
        "unavailable": "{and_unavailable}with 503, {says_unavailable}that no server behind it is "
        "available, or the server itself that it is overloaded, or limits the rate",
        "late": "{and_late}with 504, {says_late}that the server behind it didn't answer in time",
        "idle": "Is a server behind the gateway down, or restarting? If not, compare how long the "
        "gateway keeps idle connections to it with how long the server does: the server has to "
        "keep them longer, and serve as many requests on each, or the gateway reuses one that is "
        "being closed.{upstream} Both logs say more.",
        "overload": " If fewer --requests or a lower --concurrency helps, it is the load.",
        "slow": "{and_slow}How long the gateway waits is its own setting.{upstream_wait}",
    },
    provoked=Provoked("URL -n 6", "--fault status=502 --fault-requests 3"),
)
NO_BACKEND = FindingKind(
    code="no-backend",
    title="All answers were those of a gateway without a server behind it (502, 503, 504)",
    who="proxy",
    evidence=("answered", "statuses"),
    text="All {answered:answer} were {which}: a gateway has no server behind it that answers, "
    "or the service is switched off. That is no rate limit.",
    advice="Does the server behind the gateway run, and does the gateway know its address?",
    provoked=Provoked("URL -n 6", "--status 502"),
)


def gateway_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    total: dict[int, int] = {}
    for arm in arms:
        for status, count in arm.status_codes.items():
            total[status] = total.get(status, 0) + count
    if total and total.keys() <= {*_OF_GATEWAYS}:
        statuses = _listed(total)
        yield NO_BACKEND.found(
            answered=sum(total.values()),
            statuses=statuses,
            words={"which": statuses if len(total) > 1 else f"{next(iter(total))}"},
        )
        return
    for arm in arms:
        yield from _rejected(arm)
        yield from _broken(run, arm)


def _rejected(arm: ArmSummary) -> Iterator[Finding]:
    """Those that say themselves that there were too many."""
    counts = {_TOO_MANY: arm.status_codes.get(_TOO_MANY, 0), _UNAVAILABLE: _to_retry(arm)}
    counts = {status: count for status, count in counts.items() if count}
    if counts:
        yield SERVER_OVERLOADED.found(
            arm, count=sum(counts.values()), words={"statuses": _listed(counts)}
        )


def _broken(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    counts = {status: arm.status_codes.get(status, 0) for status in _OF_GATEWAYS}
    counts[_UNAVAILABLE] -= _to_retry(arm)
    counts = {status: count for status, count in counts.items() if count > 0}
    if not counts:
        return
    has_502, has_503, has_504 = (status in counts for status in _OF_GATEWAYS)
    from keepalive_bench.findings.cures import cure_of_gateway  # noqa: PLC0415  # most do without

    answers = _answers_of(run, arm, counts)
    clauses = [_SAID[status] for status in counts]
    clauses += ["idle"] * (has_502 or has_503) + ["overload"] * has_503 + ["slow"] * has_504
    yield GATEWAY_ERRORS.found(
        arm,
        count=sum(counts.values()),
        answered=sum(arm.status_codes.values()),
        statuses=_listed(counts),
        clauses=clauses,
        words={
            "and_unavailable": "; " if has_502 else "",
            "and_late": "; " if has_502 or has_503 else "",
            "says_unavailable": "" if has_502 else _SAYS,
            "says_late": "" if has_502 or has_503 else _SAYS,
            "and_slow": " " if has_502 or has_503 else "",
            "upstream": cure_of_gateway(run.plan, answers, ("upstream",)),
            "upstream_wait": cure_of_gateway(run.plan, answers, ("upstream_wait",)),
        },
    )


def _answers_of(run: Run, arm: ArmSummary, statuses: Collection[int]) -> Counter[Answer]:
    """An arm's answers of some statuses, with how often each came."""
    exchanges, own = run.exchanges, run.exchanges.of_arm(arm.label)
    pairs = zip(compress(exchanges.status, own), compress(exchanges.answer, own), strict=True)
    counts = Counter(number for status, number in pairs if status in statuses and number >= 0)
    return Counter({exchanges.answers.values[it]: count for it, count in counts.items()})


def _to_retry(arm: ArmSummary) -> int:
    """How many 503s said when to try again: so many were rejected by a limit or for overload."""
    return sum(count for answer, count in arm.answers.items() if answer.retry_after)


def _listed(counts: dict[int, int]) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in sorted(counts.items()))
