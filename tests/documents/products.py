"""The tables of docs/products.md, from the table of products."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from documents.tables import PagePart, table

from keepalive_bench.connections.products import PRODUCTS, Concern, Product
from keepalive_bench.connections.products.product import PLACES
from keepalive_bench.field_docs import field_docs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.connections.products import Setting

_WITHOUT_NAME = {True: "can't be set", False: "none", None: "not documented"}


def parts() -> Iterator[PagePart]:
    """Who there is, and for each concern who has which setting."""
    yield table(
        "products.md",
        "products",
        ("product", "`--server`", "it usually", "`Server` has", "`Via` has"),
        (
            (it.name, f"`{it.word}`", PLACES[it.place], _servers(it), _names(it.via))
            for it in PRODUCTS
        ),
    )
    meanings = field_docs(Product)
    for concern in get_args(Concern):
        rows = ((it, it.setting(concern)) for it in PRODUCTS)
        made = table(
            "products.md",
            concern,
            ("product", "setting", "by default", "more"),
            (_row(product, setting) for product, setting in rows if setting is not None),
        )
        yield made._replace(text=f"{meanings[concern]}\n\n{made.text}")
    yield _limits()


def _limits() -> PagePart:
    """Which product answers which error for which limit."""
    head = ("product", "it answers", "beyond", "by default", "more")
    rows = (
        (name, ", ".join(map(str, limit.statuses)), *cells)
        for it in PRODUCTS
        for limit in it.limits
        for name, *cells in [_row(it, limit.setting)]
    )
    made = table("products.md", "limits", head, rows)
    return made._replace(text=f"{field_docs(Product)['limits']}\n\n{made.text}")


def _servers(product: Product) -> str:
    until = f" (before {product.nameless_from})" if product.nameless_from else ""
    return f"{_names(product.server)}{until}" if product.server or product.via else "nothing"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{it}`" for it in names)


def _row(product: Product, setting: Setting) -> tuple[str, ...]:
    shown = f"`{setting.name}`" if setting.name else _WITHOUT_NAME[setting.happens]
    linked = f"[{shown}]({setting.page})" if setting.page else shown
    default = ", ".join(filter(None, (setting.default, setting.older)))
    note = "" if setting.happens is None else setting.note
    return product.name, linked, default, note
