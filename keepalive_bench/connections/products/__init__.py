"""The servers, gateways and services that kab knows, and who of them an answer comes from.

`Server` travels from end to end and tells who answered; keep-alive is hop by hop. So who ended a
connection is who stands nearest to the client: the last that `Via` names, or a service that is an
edge by what it is; else who answered, if nothing stands in front of it that names itself nowhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.connections.products.gateways import (
    ALB,
    ENVOY,
    GATEWAYS,
    HAPROXY,
    PROXIES,
    SQUID,
    TINYPROXY,
)
from keepalive_bench.connections.products.product import Concern, Product, Setting
from keepalive_bench.connections.products.python_servers import PYTHON_SERVERS, UWSGI
from keepalive_bench.connections.products.runtimes import GO, JAVA, NODE, RUNTIMES, TOMCAT
from keepalive_bench.connections.products.web_servers import (
    APACHE,
    NGINX,
    TRAFFIC_SERVER,
    WEB_SERVERS,
)
from keepalive_bench.errors import UsageError
from keepalive_bench.units import printable, quoted

if TYPE_CHECKING:
    from keepalive_bench.results.exchange import Answer

__all__ = [
    "COMMONEST",
    "COMMONEST_PROXIES",
    "NOBODY",
    "PRODUCTS",
    "Concern",
    "Product",
    "Setting",
    "Who",
    "nearest",
    "product_called",
    "who_answered",
]

PRODUCTS = (*WEB_SERVERS, *GATEWAYS, *PROXIES, *PYTHON_SERVERS, *RUNTIMES)
"""All of them, each declared once, with its settings and the pages that document them."""
COMMONEST = (NGINX, APACHE, HAPROXY, NODE, ALB, ENVOY, GO, UWSGI, TOMCAT, JAVA)
"""Whose settings are told where nothing says who it is: the third is one that may say nothing."""
COMMONEST_PROXIES = (SQUID, TRAFFIC_SERVER, TINYPROXY)
"""The same of a proxy that the client sends through."""

_LONGEST = 40
"""Characters of a name that are shown: it comes from outside."""
_LONGEST_FIELD = 300
_COMMENT = r"\([^()]*(?:\([^()]*\)[^()]*)*\)?"
_PRODUCT = r"[^\s/(),;]+"
_HOP = rf"\s*(?:\S+\s+)?(?P<by>{_PRODUCT})[^\s(]*\s*(?P<comment>\(.*)?"
_BY_SERVER = {name: it for it in PRODUCTS for name in it.server}
_BY_VIA = {
    **{name: it for it in PRODUCTS if it.place != "origin" for name in (it.word, *it.server)},
    **{name: it for it in PRODUCTS for name in it.via},
}
"""By how they call themselves, or would be called by who lets them: an origin is no hop."""
_BY_WORD = {word: it for it in PRODUCTS for word in (*it.server, *it.also, it.word)}


class Who(NamedTuple):
    """Who stands nearest to the client, as far as an answer tells."""

    how: Literal["via", "edge", "server", "nobody"]
    """Who says so: `Via`, `Server` of an edge, `Server`; or nobody does."""
    product: Product | None = None
    """`None`: none that kab knows."""
    said: str = ""
    """How it calls itself, fit to be shown."""


NOBODY = Who("nobody")


def nearest(answer: Answer) -> Who:
    """Who stands nearest to the client."""
    by_via, by_server = _last_hop((answer.via or "")[-_LONGEST_FIELD:]), who_answered(answer)
    edges = (it for it in (by_via, by_server) if it.product and it.product.place == "edge")
    edge = next(edges, None)
    if edge is not None:
        return edge._replace(how="edge")
    return by_server if by_via == NOBODY else by_via


def who_answered(answer: Answer) -> Who:
    """Who answered, wherever it stands.

    It is the first that `Server` names and kab knows: a gateway writes before others.
    """
    without_comments = re.sub(_COMMENT, " ", (answer.server or "")[:_LONGEST_FIELD])
    said = [word for word in re.split(r"[\s,;]+", without_comments) if word.strip("…")]
    for word in said:
        found = re.match(_PRODUCT, word)
        product = _BY_SERVER.get(found[0].lower()) if found else None
        if product is not None:
            return Who("server", product, _named(product, word))
    return Who("server", None, _shown(said[0])) if said else NOBODY


def _named(product: Product, word: str) -> str:
    """As it calls itself, with the name that people know it by where that is another one."""
    name, shown = product.name, _shown(word)
    if name.lower() in word.lower():
        return shown
    return name if word.lower() in name.lower() else f"{name} ({shown})"


def _last_hop(via: str) -> Who:
    """The hop that a `Via` field names last (RFC 9110, section 7.6.3)."""
    hops = re.sub(_COMMENT, lambda found: found[0].replace(",", ";"), via).split(",")
    last = hops[-1].strip(" \t…")
    found = re.fullmatch(_HOP, last, re.DOTALL)
    if found is None:
        return NOBODY
    by = found["by"].lower()
    for name in (*re.findall(r"[a-z][a-z.-]*", (found["comment"] or "").lower()), by):
        if name in _BY_VIA:
            return Who("via", _BY_VIA[name], _BY_VIA[name].name)
    for end, product in _BY_VIA.items():
        if end.startswith(".") and by.partition(":")[0].endswith(end):
            return Who("via", product, product.name)
    return Who("via", None, _shown(found["by"]))


def _shown(name: str) -> str:
    return printable(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…")


def product_called(word: str) -> Product:
    """The product that the user calls so, with or without a version (`nginx/1.22.1`).

    Raises:
        UsageError: kab knows none of that name.
    """
    found = _BY_WORD.get(word.lower().partition("/")[0])
    if found is None:
        from difflib import get_close_matches  # noqa: PLC0415  # where all is well, nobody needs it

        close = get_close_matches(word.lower()[:_LONGEST], _BY_WORD, n=1)
        end = f"did you mean {close[0]}?" if close else "kab explain products lists those it knows."
        raise UsageError(f"kab knows no server called {quoted(word)} (--server); {end}")
    return found
