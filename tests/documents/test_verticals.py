"""docs/compare.md and docs/sweep.md are held against what kab has."""

from __future__ import annotations

from documents.verticals import COMPARE, pages

from keepalive_bench import Experiment
from keepalive_bench.compare.requirements import change_places
from keepalive_bench.compare.verdict import CODES
from keepalive_bench.requirements.expression import parse


def test_the_tables_are_those_that_make_docs_writes() -> None:
    for path, text in pages().items():
        assert path.read_text("utf-8") == text


def test_the_requirements_on_changes_and_the_verdicts_are_kab_s() -> None:
    page = COMPARE.read_text("utf-8")
    named = tuple(change_places(Experiment().arms))
    block = page.partition("```text\n")[2].partition("```")[0]
    for text in block.splitlines():
        parse(text, named)
    for code in CODES:
        assert f"| `{code}` |" in page
