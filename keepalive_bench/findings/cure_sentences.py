"""What to set, for the server that is there, in sentences that go on from other advice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.products import COMMONEST, COMMONEST_PROXIES
from keepalive_bench.connections.reason_kinds import UNREAD_REQUEST

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from keepalive_bench.connections.products import Concern, Product, Setting

_MOST_TOLD = 3
_HEADS = {
    "via": "Via names {said} last",
    "edge": "The nearest hop is {said}",
    "server": "{said} answered",
    "gateway": "{said} sent these responses",
    "told": "{said} (--server)",
}
_MAY_BE_HIDDEN = {"via", "server"}
"""Others may stand in front of these, and name themselves nowhere."""
_LOOK_THERE = "; if a proxy stands in front of it, look there first"
_LACKING = {
    "request_limit": "limits no connection's requests",
    "lifetime": "sets no maximum age",
    "idle_timeout": "closes no idle connection",
}
_ANNOUNCES, _KEEPS = "would announce such a close", "closes after no such error of its own"
_DRAIN = f"{UNREAD_REQUEST.advice[0].lower()}{UNREAD_REQUEST.advice[1:]}"


class Source(NamedTuple):
    """Who answers came from, as far as is known."""

    how: str
    product: Product | None = None
    said: str = ""
    share: str = ""
    """Of how many answers that is true, where it isn't all."""

    @property
    def version(self) -> str:
        """`1.22.1`, where it is told; else nothing."""
        found = re.search(r"/([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})", self.said)
        return found[1] if found else ""


class Asked(NamedTuple):
    """What connections ended by."""

    concerns: Sequence[Concern]
    besides: Sequence[Concern] = ()
    """What may be it, too, for a product that does that."""
    statuses: frozenset[int] = frozenset()
    """Of the errors that they ended after."""
    is_silent: bool = False
    """They ended without an announcement."""
    may_be_told: bool = True
    """Whether there is an option to say who it is."""


def sentences(sources: Sequence[Source], asked: Asked, commonest: Sequence[Product]) -> str:
    """What decides that, of each that it may be."""
    told = [_about(it, asked, commonest) for it in sources[:_MOST_TOLD]]
    may_leave = any(it.product is None or it.product.unread_body for it in sources[:_MOST_TOLD])
    if "unread_body" in asked.besides and may_leave:
        told.insert(0, f"Where bodies are left unread, {_DRAIN}")
    return "".join(f" {sentence}" for sentence in told if sentence)


def _about(source: Source, asked: Asked, commonest: Sequence[Product]) -> str:
    first, second = asked, asked._replace(concerns=asked.besides)
    leaves_bodies = _settings(source, second).get("unread_body")
    # What it does by itself is likelier than what somebody must have set.
    if leaves_bodies and ("errors" not in asked.concerns or not _settings(source, first)):
        first, second = second, first
    also = _also(_settings(source, second).values())
    return f"{_advice(source, first, commonest)}{also}{_limited(source, asked)}"


def _also(settings: Collection[Setting]) -> str:
    """What a product does, too: it goes on from what else is said of it."""
    named = [it for it in settings if it.name]
    done = " and ".join(it.note for it in settings if it.happens and not it.name)
    return (f" It {done}." if done else "") + (f" Or see its {_either(named)}." if named else "")


def _limited(source: Source, asked: Asked) -> str:
    """The limits that give such errors: more room there has fewer of them."""
    limits = [] if source.product is None else _limits(source, asked)
    return f" Such an error may come from its {_either(limits)}." if limits else ""


def _limits(source: Source, asked: Asked) -> list[Setting]:
    limits = (
        [] if source.product is None or "errors" not in asked.concerns else source.product.limits
    )
    return [it.setting.as_of(source.version) for it in limits if asked.statuses & {*it.statuses}]


def _advice(source: Source, asked: Asked, commonest: Sequence[Product]) -> str:
    others = _offers(source, asked, commonest)
    if source.how == "nobody":
        whom = "the proxy" if commonest is COMMONEST_PROXIES else "the server"
        said = others or _would_tell(asked, commonest)
        how = " (--server NAME does)" if asked.may_be_told else ""
        return f"Nothing names {whom}{source.share}{how}. {said}" if said else ""
    head = f"{_HEADS[source.how].format(said=source.said)}{source.share}"
    which = head if source.how == "told" else f"{head}, which"
    settings = _settings(source, asked)
    named = _named(settings)
    if named:
        may_hide = source.how in _MAY_BE_HIDDEN and commonest is COMMONEST
        return f"{head}: see its {_either(named)}{_LOOK_THERE if may_hide else ''}."
    for it in settings.values():
        if it.happens is not False:
            return f"{which} {it.note}."
    return f"{which} {lacks}".rstrip() if (lacks := _lacking(source, asked, others)) else ""


def _lacking(source: Source, asked: Asked, others: str) -> str:
    """That it has no such setting, and where to look instead."""
    product, settings = source.product, _settings(source, asked)
    if product is None:
        unknown = "isn't one that kab knows" if source.how == "told" else "kab doesn't know"
        return f"{unknown}: look for a similar setting. {others}" if others else ""
    if asked.is_silent and _settings(source, asked._replace(is_silent=False)).keys() - settings:
        return f"{_ANNOUNCES}: look at any proxy in front of it, or for a crash. {others}"
    for concern, it in settings.items():
        where = "the server behind" if product.place == "edge" else "any proxy in front of"
        lacking = it.note or _LACKING.get(concern, "does no such thing")
        return f"{lacking}: look at {where} it. {others}"
    if "errors" in asked.concerns:
        return f"{_KEEPS}: its application may do that, or a proxy in front of it."
    return f"has no setting for that, as far as kab knows. {others}" if others else ""


def _settings(source: Source, asked: Asked) -> dict[Concern, Setting]:
    """What the product has of these that may have ended such connections."""
    if source.product is None:
        return {}
    found = ((it, source.product.setting(it)) for it in asked.concerns)
    return {
        concern: it.as_of(source.version)
        for concern, it in found
        if it is not None
        and not (asked.is_silent and it.is_announced)
        and not (concern == "errors" and _is_of_others(it, asked.statuses))
    }


def _is_of_others(errors: Setting, statuses: frozenset[int]) -> bool:
    """Whether it tells which errors connections are closed after, and these are others."""
    told = {int(it) for it in re.findall(r"\b[45][0-9]{2}\b", errors.note)}
    return bool(told and statuses and not told & statuses)


def _offers(source: Source, asked: Asked, commonest: Sequence[Product]) -> str:
    """The settings of a few products, each of which it may be."""
    others = [Source("told", it, it.name) for it in commonest if it is not source.product]
    offers = [
        f"{it.said}'s {_either([*map(_in_short, limits)])}"
        for it in others
        if (limits := _limits(it, asked))
    ]
    for it in () if offers else others:
        settings = _settings(it, asked)
        named = [_in_short(one) for one in _named(settings)]
        done = [one.note for one in settings.values() if one.happens and not one.name]
        if named or done:
            offers.append(f"{it.said}'s {_either(named)}" if named else f"{it.said} {done[0]}")
    return f"Common ones: {'; '.join(offers[:_MOST_TOLD])}." if offers else ""


def _would_tell(asked: Asked, commonest: Sequence[Product]) -> str:
    """The commonest, if none of them ends connections without an announcement."""
    if not asked.is_silent:
        return ""
    anyhow = asked._replace(is_silent=False)
    names = [it.name for it in commonest if _named(_settings(Source("told", it), anyhow))]
    *others, last = names[:_MOST_TOLD] or [""]
    names_of_them = f"{', '.join(others)} and {last}" if others else last
    return f"{names_of_them} would announce such a close: look for a crash, too." if last else ""


def _named(settings: Mapping[Concern, Setting]) -> list[Setting]:
    """Those that can be set; one that decides several concerns, once."""
    return list({it.name: it for it in settings.values() if it.name}.values())


def _in_short(setting: Setting) -> Setting:
    is_number = setting.default[:1] in {*"123456789"}
    return setting._replace(default=setting.default if is_number else "", note="")


def _either(settings: Sequence[Setting]) -> str:
    """One of them, with its default; what more there is to know, if it is the only one."""
    *first, last = (
        described(it if len(settings) == 1 else it._replace(note="")) for it in settings
    )
    return f"{', '.join(first)} or {last}" if first else last


def described(setting: Setting) -> str:
    """A setting with its default, and what more there is to know of it."""
    default = f"default: {setting.default}" if setting.default else ""
    versions = ", ".join(filter(None, (default, setting.older)))
    more = "; ".join(filter(None, (versions, setting.note)))
    return f"{setting.name} ({more})" if more else setting.name
