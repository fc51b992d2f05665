"""docs/servers.md is written from the table that the tests use."""

from __future__ import annotations

from servers.generate import DOCUMENT, row
from support.servers.table import CASES


def test_the_page_shows_the_table_and_what_was_found_is_what_is_documented() -> None:
    page = DOCUMENT.read_text(encoding="utf-8").splitlines()
    shown = page[next(at for at, line in enumerate(page) if line.startswith("| ---")) + 1 :]
    assert [_without_version(line) for line in shown] == [
        _without_version(row(case, "any", case.code, case.served)) for case in CASES
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


def _without_version(line: str) -> list[str]:
    server, _, *others = line.split(" | ")
    return [server, *others]
