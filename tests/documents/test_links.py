"""What the documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS, ReasonKind
from keepalive_bench.findings import FINDING_KINDS
from keepalive_bench.results.failure_kinds import FAILURE_KINDS, FailureKind

if TYPE_CHECKING:
    from keepalive_bench.findings.finding_kind import FindingKind

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """What GitHub calls a page's headings."""
    found = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in found]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_pages_and_headings_that_are_there(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_leads_to_every_page_and_the_readme_to_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"]({name})" not in index} == set()
    assert "](docs/README.md)" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "registry", [REASON_KINDS, PROGRAM_REASONS, FAILURE_KINDS, FINDING_KINDS], ids=len
)
def test_each_code_has_an_entry_that_links_lead_to(
    registry: tuple[ReasonKind | FailureKind | FindingKind, ...],
) -> None:
    page = (ROOT / "docs" / "findings.md").read_text("utf-8")
    assert [it.code for it in registry if page.count(f"\n### `{it.code}`\n") != 1] == []
