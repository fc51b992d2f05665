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
    served = {run.connections.exchanges[row] for row in previous}
    concerns = reason.settings_after_one if served == {1} else ()
    if len(served) > 1:
        concerns = reason.settings_after_several
    answers: Counter[Answer] = Counter()
    for row in islice(rows, _MOST_ENDS):
        exchange = arm.reasons[row].exchange
        number = NONE if exchange is None else run.exchanges.answer[exchange]
        if (answer := run.exchanges.answers.value(number)) is not None:
            answers[answer] += 1
    asked = Asked(
        concerns or reason.settings,
        besides=_besides(run, arm, rows),
        statuses=_statuses(arm, rows),
        is_silent=reason is REQUEST_LIMIT,
    )
    return _cure(run.plan, answers or arm.answers, asked)


def _besides(run: Run, arm: ArmSummary, rows: Sequence[int]) -> list[Concern]:
    """What a product may do that explains connections as well as their reason does."""
    reason = arm.reasons[rows[0]]
    fits = f"{reason.evidence.get('fits', '')}".split(", ")
    found = [it for it in (UNREAD_REQUEST, ERROR_RESPONSE) if it.code in fits]
    if reason.kind is ERROR_RESPONSE and run.plan.request.body:  # errors come early
        found.append(UNREAD_REQUEST)
    return [concern for it in found if it is not reason.kind for concern in it.settings]


def _statuses(arm: ArmSummary, rows: Sequence[int]) -> frozenset[int]:
    """Of the errors after which connections of one reason were closed."""
    seen = (arm.reasons[row].evidence.get("status") for row in rows)
    return frozenset(it for it in seen if isinstance(it, int))


def cure(plan: Plan, answers: Mapping[Answer, int], concerns: Sequence[Concern]) -> str:
    """What decides that, for who ends connections after such answers.

    It goes on from other advice, too.
    """
    return _cure(plan, answers, Asked(concerns))


def _cure(plan: Plan, answers: Mapping[Answer, int], asked: Asked) -> str:
    is_forwarded = plan.network.proxy is not None and plan.target.scheme == "http"
    found: Counter[Who] = Counter()
    for answer, count in answers.items():
        who = nearest(answer)
        # The others are behind the proxy.
        found[NOBODY if is_forwarded and who.product not in COMMONEST_PROXIES else who] += count
    commonest = COMMONEST_PROXIES if is_forwarded else COMMONEST
    sources = _told(plan) or _sources(found)
    return sentences(sources, asked, commonest)


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
