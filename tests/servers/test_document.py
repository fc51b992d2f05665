"""docs/servers.md, and the table in docs/probe.md, are written from what the tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.tables import DOCS
from servers.generate import DOCUMENT, gateway_row, row
from servers.probes import HEAD, cells, documented
from support.servers.rows.gateways import GATEWAYS
from support.servers.rows.probed import PROBED
from support.servers.table import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_the_page_shows_the_table_and_what_was_found_is_what_is_documented() -> None:
    servers, gateways = _tables()
    assert [_without_version(line) for line in servers] == [
        _without_version(row(case, "any", case.code, case.served)) for case in CASES
    ]
    assert [_without_version(line) for line in gateways] == [
        _without_version(gateway_row(case, "any")) for case in GATEWAYS
    ]


def test_the_page_names_each_servers_version() -> None:
    page = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [line for line in page if line.startswith("| [")]
    assert all(any(letter.isdigit() for letter in line.split(" | ")[1]) for line in rows)


def test_each_row_has_its_page_and_sets_what_the_table_of_products_names() -> None:
    for case in CASES:
        assert case.documentation.startswith("https://"), case.name
        if case.advised is not None and case.advised.name:
            shown = case.setting + (case.cure.setting if case.cure else "")
            assert case.advised.name.split()[0].lstrip("-") in shown, case.name


def test_what_the_table_of_products_says_to_be_announced_is_so() -> None:
    """Each server was seen to say `Connection: close` before that, or not to."""
    shown = {"request_limit", "keep_alive"}
    seen = [case for case in CASES if case.advised is not None and case.decides in shown]
    assert len(seen) > 15
    for case in seen:
        assert case.advised is not None
        assert case.advised.is_announced == (case.code == "server-close"), case.name


def test_the_page_of_probes_shows_each_server_as_it_is_documented() -> None:
    page = (DOCS / "probe.md").read_text("utf-8")
    rows = (
        page[page.index(f"| {' | '.join(cells(HEAD))} |") :].partition("\n\n")[0].splitlines()[2:]
    )
    shown = [line.strip("| ").split(" | ") for line in rows]
    for is_so, case in zip(shown, PROBED, strict=True):
        version, after = is_so[1], is_so[3]
        assert [*cells(documented(case)._replace(version=version, after=after))] == is_so
        assert version[0].isdigit() or version.startswith("Python")


def _tables() -> Iterator[list[str]]:
    """The rows of each of the page's tables."""
    page = DOCUMENT.read_text(encoding="utf-8")
    for part in page.split("\n| ---")[1:]:
        lines = part.partition("\n\n")[0].splitlines()
        yield lines[1:]


def _without_version(line: str) -> list[str]:
    server, _, *others = line.split(" | ")
    return [server, *others]
