"""Who is there to set it, as far as answers name the server, or the user does."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from keepalive_bench.connections.products import (
    COMMONEST,
    COMMONEST_PROXIES,
    NOBODY,
    Who,
    nearest,
    product_called,
    who_answered,
)
from keepalive_bench.connections.reason_kinds import ERROR_RESPONSE, REQUEST_LIMIT, UNREAD_REQUEST
from keepalive_bench.errors import UsageError
from keepalive_bench.findings.cure_sentences import Asked, Source, sentences
from keepalive_bench.results.table import NONE
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.connections.products import Concern
    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.run import Run

_MOST_ENDS = 1_000
"""Connections whose last answers are looked at: who gave them is the same for most."""


def cure_of_reason(run: Run, arm: ArmSummary, rows: Sequence[int]) -> str:
    """What to set against that connections of an arm, by row, had to be opened for one reason.

    It goes on from other advice. Empty: no setting of a server's cures it.
    """
    reason = arm.reasons[rows[0]].kind
    if not reason.settings:
        return ""
    previous = [row for row in (arm.reasons.previous[row] for row in rows) if row != NONE]
    answers: Counter[Answer] = Counter()
    for row in islice(rows, _MOST_ENDS):
        exchange = arm.reasons[row].exchange
        number = NONE if exchange is None else run.exchanges.answer[exchange]
        if (answer := run.exchanges.answers.value(number)) is not None:
            answers[answer] += 1
    asked = asked_of(
        reason,
        {run.connections.exchanges[row] for row in previous},
        arm.reasons[rows[0]].evidence,
        _statuses(arm, rows),
        sends_bodies=bool(run.plan.request.body),
    )
    return _cure(run.plan, answers or arm.answers, asked)


def asked_of(
    reason: ReasonKind,
    served: set[int],
    evidence: Mapping[str, object],
    statuses: frozenset[int],
    *,
    sends_bodies: bool,
) -> Asked:
    """What to look for, of a server that ended connections so.

    Args:
        reason: why others had to be opened.
        served: how many responses they had carried.
        evidence: that of one of them.
        statuses: of the errors that they ended after.
        sends_bodies: whether requests have bodies.
    """
    concerns = reason.settings_after_one if served == {1} else ()
    if len(served) > 1:
        concerns = reason.settings_after_several
    fits = f"{evidence.get('fits', '')}".split(", ")
    found = [it for it in (UNREAD_REQUEST, ERROR_RESPONSE) if it.code in fits]
    if reason is ERROR_RESPONSE and sends_bodies:  # errors come early
        found.append(UNREAD_REQUEST)
    return Asked(
        concerns or reason.settings,
        besides=[concern for it in found if it is not reason for concern in it.settings],
        statuses=statuses,
        is_silent=reason is REQUEST_LIMIT,
    )


def _statuses(arm: ArmSummary, rows: Sequence[int]) -> frozenset[int]:
    """Of the errors after which connections of one reason were closed."""
    seen = (arm.reasons[row].evidence.get("status") for row in rows)
    return frozenset(it for it in seen if isinstance(it, int))


def cure(plan: Plan, answers: Mapping[Answer, int], concerns: Sequence[Concern]) -> str:
    """What decides that, for who ends connections after such answers.

    It goes on from other advice, too.
    """
    return _cure(plan, answers, Asked(concerns))


def cure_of_answers(answers: Mapping[Answer, int], asked: Asked, *, is_forwarded: bool) -> str:
    """The same for answers that nobody but themselves tells of: no plan does."""
    return _of_answers(answers, asked._replace(may_be_told=False), [], is_forwarded=is_forwarded)


def _cure(plan: Plan, answers: Mapping[Answer, int], asked: Asked) -> str:
    is_forwarded = plan.network.proxy is not None and plan.target.scheme == "http"
    return _of_answers(answers, asked, _told(plan), is_forwarded=is_forwarded)


def _of_answers(
    answers: Mapping[Answer, int], asked: Asked, told: list[Source], *, is_forwarded: bool
) -> str:
    found: Counter[Who] = Counter()
    for answer, count in answers.items():
        who = nearest(answer)
        # The others are behind the proxy.
        found[NOBODY if is_forwarded and who.product not in COMMONEST_PROXIES else who] += count
    commonest = COMMONEST_PROXIES if is_forwarded else COMMONEST
    return sentences(told or _sources(found), asked, commonest)


def cure_of_gateway(plan: Plan, answers: Mapping[Answer, int], concerns: Sequence[Concern]) -> str:
    """What decides that, for a gateway that gave these answers in place of what is behind it.

    It goes on from other advice, too.
    """
    found: Counter[Who] = Counter()
    for answer, count in answers.items():
        found[who_answered(answer)] += count
    sources = [it._replace(how=it.how.replace("server", "gateway")) for it in _sources(found)]
    return sentences(_told(plan) or sources, Asked(concerns), COMMONEST)


def _told(plan: Plan) -> list[Source]:
    word = plan.known.server
    if word is None:
        return []
    try:
        product = product_called(word)
    except UsageError:  # a stored run that names what a later kab knows
        return [Source("told", said=quoted(word))]
    return [Source("told", product, product.name)]


def _sources(found: Counter[Who]) -> list[Source]:
    """The commonest first; versions of one product are one."""
    counts: Counter[Who] = Counter()
    first: dict[tuple[str, object], Who] = {}
    for who, count in found.most_common():
        counts[first.setdefault((who.how, who.product or who.said), who)] += count
    total = counts.total()
    return [
        Source(*who, "" if count == total else f" ({count:,} of {total:,} answers)")
        for who, count in counts.most_common()
    ] or [Source("nobody")]
