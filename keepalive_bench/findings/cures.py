"""What to set, for the server that is there: as far as its answers name it, or the user does."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.products import (
    COMMONEST,
    COMMONEST_PROXIES,
    NOBODY,
    Product,
    Who,
    nearest,
    product_called,
    who_answered,
)
from keepalive_bench.connections.reason_kinds import ERROR_RESPONSE, UNREAD_REQUEST
from keepalive_bench.errors import UsageError
from keepalive_bench.results.table import NONE
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.connections.products import Concern, Setting
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.run import Run

_MOST_ENDS = 1_000
"""Connections whose last answers are looked at: who gave them is the same for most."""
_MOST_TOLD = 3
_HEADS = {
    "via": "Via names {said} as the nearest hop",
    "edge": "The nearest hop is {said}",
    "server": "{said} answered",
    "gateway": "{said} gave these answers",
    "told": "{said} (--server)",
}
_MAY_BE_HIDDEN = {"via", "server"}
"""Others may stand in front of these, and name themselves nowhere."""
_LACKING = {
    "request_limit": "limits no connection's requests",
    "lifetime": "sets no maximum age",
    "idle_timeout": "closes no idle connection",
}


class _Source(NamedTuple):
    """Who answers came from, as far as is known."""

    how: str
    product: Product | None = None
    said: str = ""
    share: str = ""
    """Of how many answers that is true, where it isn't all."""


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
    return cure(run.plan, answers or arm.answers, concerns or reason.settings, _besides(arm, rows))


def _besides(arm: ArmSummary, rows: Sequence[int]) -> list[Concern]:
    """What a product may do that explains connections as well as their reason does."""
    codes = f"{arm.reasons[rows[0]].evidence.get('fits', '')}".split(", ")
    return [
        concern
        for it in (ERROR_RESPONSE, UNREAD_REQUEST)
        if it.code in codes
        for concern in it.settings
    ]


def cure(
    plan: Plan,
    answers: Mapping[Answer, int],
    concerns: Sequence[Concern],
    besides: Sequence[Concern] = (),
) -> str:
    """What decides that, for who ends connections after such answers.

    It goes on from other advice, too. `besides`: what may be it, too, for a product that does that.
    """
    is_forwarded = plan.network.proxy is not None and plan.target.scheme == "http"
    found: Counter[Who] = Counter()
    for answer, count in answers.items():
        who = nearest(answer)
        # The others are behind the proxy.
        found[NOBODY if is_forwarded and who.product not in COMMONEST_PROXIES else who] += count
    commonest = COMMONEST_PROXIES if is_forwarded else COMMONEST
    sources = _told(plan) or _sources(found)
    return _sentences(sources, concerns, commonest, besides)


def cure_of_gateway(plan: Plan, answers: Mapping[Answer, int], concerns: Sequence[Concern]) -> str:
    """What decides that, for a gateway that gave these answers in place of what is behind it.

    It goes on from other advice, too.
    """
    found: Counter[Who] = Counter()
    for answer, count in answers.items():
        found[who_answered(answer)] += count
    sources = [it._replace(how=it.how.replace("server", "gateway")) for it in _sources(found)]
    return _sentences(_told(plan) or sources, concerns, COMMONEST)


def _told(plan: Plan) -> list[_Source]:
    word = plan.known.server
    if word is None:
        return []
    try:
        product = product_called(word)
    except UsageError:  # a stored run that names what a later kab knows
        return [_Source("told", said=quoted(word))]
    return [_Source("told", product, product.name)]


def _sources(found: Counter[Who]) -> list[_Source]:
    """The commonest first; versions of one product are one."""
    counts: Counter[Who] = Counter()
    first: dict[tuple[str, object], Who] = {}
    for who, count in found.most_common():
        counts[first.setdefault((who.how, who.product or who.said), who)] += count
    total = counts.total()
    return [
        _Source(*who, "" if count == total else f" ({count:,} of {total:,} answers)")
        for who, count in counts.most_common()
    ] or [_Source("nobody")]


def _sentences(
    sources: Sequence[_Source],
    concerns: Sequence[Concern],
    commonest: Sequence[Product],
    besides: Sequence[Concern] = (),
) -> str:
    told = (
        f"{_advice(it, concerns, commonest)}{_of_product(it.product, besides)}"
        for it in sources[:_MOST_TOLD]
    )
    return "".join(f" {sentence}" for sentence in told if sentence)


def _of_product(product: Product | None, besides: Sequence[Concern]) -> str:
    """What a product does, too: it goes on from what else is said of it."""
    settings = [] if product is None else [*_settings(product, besides).values()]
    named = [it for it in settings if it.name]
    done = " and ".join(it.note for it in settings if it.happens and not it.name)
    return (f" It {done}." if done else "") + (f" Or its {_either(named)}." if named else "")


def _advice(source: _Source, concerns: Sequence[Concern], commonest: Sequence[Product]) -> str:
    product, others = source.product, _offers(commonest, concerns, source.product)
    if source.how == "nobody":
        whom = "the proxy" if commonest is COMMONEST_PROXIES else "the server"
        return (
            f"Nothing names {whom}{source.share} (--server NAME does). {others}" if others else ""
        )
    head = f"{_HEADS[source.how].format(said=source.said)}{source.share}"
    which = head if source.how == "told" else f"{head}, which"
    settings = {} if product is None else _settings(product, concerns)
    named = _named(settings)
    if named:
        may_hide = source.how in _MAY_BE_HIDDEN and commonest is COMMONEST
        hidden = ", if nothing stands in front of it" if may_hide else ""
        return f"{head}: its {_either(named)}{hidden}."
    for it in settings.values():
        if it.happens is not False:
            return f"{which} {it.note}."
    if product is None:
        unknown = "is none that kab knows" if source.how == "told" else "kab doesn't know"
        return f"{which} {unknown}: look for a setting like these. {others}" if others else ""
    for concern, it in settings.items():
        lacking = f"{which} {it.note or _LACKING.get(concern, 'does no such thing')}"
        where = "is behind" if product.place == "edge" else "stands in front of"
        return f"{lacking}: look at what {where} it. {others}".rstrip()
    return f"{which} has no setting for it that kab knows. {others}" if others else ""


def _settings(product: Product, concerns: Sequence[Concern]) -> dict[Concern, Setting]:
    found = ((concern, product.setting(concern)) for concern in concerns)
    return {concern: it for concern, it in found if it is not None}


def _offers(commonest: Sequence[Product], concerns: Sequence[Concern], but: Product | None) -> str:
    """The settings of a few products, each of which it may be."""
    offers = []
    for product in commonest:
        settings = _settings(product, concerns)
        named = [_in_short(it) for it in _named(settings)]
        done = [it.note for it in settings.values() if it.happens and not it.name]
        if product is not but and (named or done):
            said = f": {_either(named)}" if named else f" {done[0]}"
            offers.append(f"{product.name}{said}")
    return f"{'; '.join(offers[:_MOST_TOLD])}." if offers else ""


def _named(settings: Mapping[Concern, Setting]) -> list[Setting]:
    """Those that can be set; one that decides several concerns, once."""
    return list({it.name: it for it in settings.values() if it.name}.values())


def _in_short(setting: Setting) -> Setting:
    is_number = setting.default[:1] in {*"123456789"}
    return setting._replace(default=setting.default if is_number else "", note="")


def _either(settings: Sequence[Setting]) -> str:
    """One of them, with its default; what more there is to know, if it is the only one."""
    *first, last = (
        _with_default(it if len(settings) == 1 else it._replace(note="")) for it in settings
    )
    return f"{', '.join(first)} or {last}" if first else last


def _with_default(setting: Setting) -> str:
    default = f"{setting.default} by default" if setting.default else ""
    versions = ", ".join(filter(None, (default, setting.older)))
    more = "; ".join(filter(None, (versions, setting.note)))
    return f"{setting.name} ({more})" if more else setting.name
