"""What there is to know of a product and of its settings, from their table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

from keepalive_bench.connections.products import PRODUCTS
from keepalive_bench.connections.products.product import PLACES, Concern, Product
from keepalive_bench.field_docs import field_docs
from keepalive_bench.findings.cure_sentences import described
from keepalive_bench.report.explanation import Explanation, Section, filled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.connections.products import Setting


def of_setting(name: str) -> Explanation | None:
    """A setting of products: which have it, and what it does there."""
    concerns: tuple[Concern, ...] = get_args(Concern)
    rows: dict[tuple[str, str], str] = {}
    for product in PRODUCTS:
        for concern in concerns:
            setting = product.setting(concern)
            if setting is not None and name.lower() in re.split(r"[^\w.-]+", setting.name.lower()):
                rows.setdefault((product.word, described(setting)), meaning_of(concern))
    if not rows:
        return None
    told = tuple((word, f"{meaning}: {its}.") for (word, its), meaning in rows.items())
    return Explanation(name, "A setting", (Section("What it does", rows=told),))


def of_product(product: Product) -> Explanation:
    """Where a product stands, how answers name it, and its settings."""
    fields = (("Server", product.server), ("Via", product.via))
    said = [f"{field}: {', '.join(names)}" for field, names in fields if names]
    known = f"Answers name it ({'; '.join(said)})" if said else "Answers don't name it by default"
    until = f" before {product.nameless_from}" if product.nameless_from else ""
    concerns: tuple[Concern, ...] = get_args(Concern)
    found = [(it, its) for it in concerns if (its := product.setting(it)) is not None]
    sections = (
        Section("", (f"{known}{until}; --server {product.word} says that it is there.",)),
        Section("Settings", rows=tuple(_setting_row(it, its) for it, its in found)),
        Section("Documented at", lines=_pages(its for _, its in found)),
    )
    return Explanation(product.word, placed(product), filled(sections))


def _setting_row(concern: Concern, setting: Setting) -> tuple[str, str]:
    default = f"default {setting.default}" if setting.default else ""
    told = "; ".join(filter(None, (default, setting.older, setting.note)))
    none = "" if setting.name or setting.note else "never"
    end = f": {told or none}" if told or none else ""
    return setting.name or "(no setting)", f"{meaning_of(concern)}{end}."


def _pages(settings: Iterable[Setting]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(it.page.partition("#")[0] for it in settings if "//" in it.page))


def meaning_of(concern: Concern) -> str:
    """What settings of a concern say."""
    return field_docs(Product)[concern].rstrip(".")


def placed(product: Product) -> str:
    """What it is called, and where it stands."""
    return f"{product.name} {PLACES[product.place]}"
