"""Probe every server of the table, and write what is found into `docs/probe.md`.

It is a part of `make servers`; `PYTHONPATH=tests python -m servers.probes` does no more than this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from documents.tables import PagePart, table
from support.servers.probe_faults import faults
from support.servers.probing import probed
from support.servers.rows.probed import PROBED
from support.servers.versions import version_of

from keepalive_bench.probe.analysis.sentence import HOW
from keepalive_bench.units import between

if TYPE_CHECKING:
    from collections.abc import Iterable

    from documents.tables import Row
    from support.servers.probing import ProbeCase

    from keepalive_bench.probe.probed import Probed

_NOTHING = "–"
_OLD = {True: "kept", False: "closed", None: _NOTHING}


class ProbeRow(NamedTuple):
    """What the page says of a server."""

    server: str
    set_to: str
    how: str
    announces: str
    old: str
    version: str = ""
    after: str = ""
    """When it closes idle connections, or which other limit was found."""


HEAD = ProbeRow(
    "server",
    "set to",
    "and then sends",
    "announces",
    "HTTP/1.0 that asks to keep it",
    "version",
    "keeps connections for",
)


def documented(case: ProbeCase) -> ProbeRow:
    """All of a row that is so whenever it is measured."""
    name = case.product.name
    said = ("timeout", case.announced.timeout_s), ("max", case.announced.most_requests)
    announces = ", ".join(f"{word}={value}" for word, value in said if value is not None)
    return ProbeRow(
        f"[{name}]({case.page})" if case.page else name,
        case.setting or _NOTHING,
        _NOTHING if case.idle is None else HOW[case.ends],
        f"`Keep-Alive: {announces}`" if announces else _NOTHING,
        _OLD[case.keeps_old],
    )


def measured(case: ProbeCase, found: Probed) -> ProbeRow:
    """A whole row; what is documented was found."""
    version = version_of(case.product.name)
    assert version, f"{case.product.name} is not installed"
    return documented(case)._replace(version=version, after=_after(found))


def _after(found: Probed) -> str:
    lifetime, limit = found.lifetime, found.request_limit
    if found.persistence == "closed":
        return "one response"
    if limit is not None and limit.limit is not None:
        return f"{limit.limit} requests"
    if lifetime is not None and lifetime.least_s is not None and lifetime.most_s is not None:
        return f"{between(lifetime.least_s, lifetime.most_s)} in use"
    parts = [between(it.least_s, it.most_s) for it in found.idle_timeout.closings]
    return f"{' or '.join(parts)} idle"


def part(rows: Iterable[ProbeRow]) -> PagePart:
    """The page's table."""
    made = table("probe.md", "servers", cells(HEAD), map(cells, rows))
    return made._replace(target="servers")


def cells(row: ProbeRow) -> Row:
    """In the order of the page."""
    return (
        *(row.server, row.version, row.set_to),
        *(row.after, row.how, row.announces, row.old),
    )


def write() -> None:
    """Measure, and write the page's part.

    Raises:
        AssertionError: a server isn't installed, or isn't as it is documented.
    """
    servers, late_s = probed(PROBED)
    wrong = [f"{it.case.name}: {what}" for it in servers for what in faults(it, late_s)]
    assert not wrong, "\n".join(wrong)
    made = part(measured(it.case, it.found) for it in servers)
    made.path.write_text(made.within(made.path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write()
