"""`--markdown`, as GitHub's own parser reads it: everything from outside shows as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]  # it has no types
import pytest
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # the same
from hypothesis import given
from hypothesis import strategies as st
from support.exports import HOSTILE_TEXT, everything, nothing, written
from support.runs import Script, paired_run

from keepalive_bench import Run, analyse
from keepalive_bench.report import run_tables
from keepalive_bench.report.markdown import code, text
from keepalive_bench.units import printable

_APART = "\u200b"
_HARMLESS = {
    *("h2", "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"),
    *("details", "summary"),
}


def html(markdown: str) -> str:
    """As GitHub renders it, with all its extensions, before it takes out what is not allowed."""
    rendered: str = cmarkgfm.github_flavored_markdown_to_html(
        markdown, options=Options.CMARK_OPT_UNSAFE
    )
    return rendered


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self._in_cell = False
        self.cells: list[list[str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs or {name for name, _ in attrs} <= {"align"}, (tag, attrs)
        self.tags.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in {"td", "th"}:
            self.cells[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._in_cell:
            self.cells[-1][-1] += data


def page(run: Run) -> _Page:
    return _Page(html(written("markdown", run)))


def test_the_verdict_comes_first_then_the_requirements_then_the_tables() -> None:
    words = page(everything()).words
    verdict = analyse(everything()).verdict
    heading = f"kab: {verdict.code}; 3 requirements: 1 missed, 1 undecided, 1 met"
    order = [
        heading,
        "GET http://",
        "Requirements",
        "Undecided requirements don't affect the exit code",
    ]
    order += ["connections", "Where the time goes", "Findings", "How it was measured"]
    places = [words.index(part) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "run", [everything(), nothing(), paired_run([0.01] * 9, [0.02] * 9)], ids=["all", "none", "few"]
)
def test_nothing_but_plain_tags_comes_out(run: Run) -> None:
    found = page(run)
    assert set(found.tags) <= _HARMLESS
    assert "hunter2" not in found.words
    assert "@team" not in found.words  # nobody is mentioned


def test_every_cell_of_the_report_is_in_the_table() -> None:
    analysis = analyse(everything())
    cells = page(everything()).cells
    found = {row[0].replace("\xa0", " "): row[1:] for row in cells}
    for table in (run_tables.comparison_table(analysis), run_tables.phase_table(analysis)):
        for name, *words in table.rows:
            assert found[name] == words


def test_three_arms_have_their_columns() -> None:
    script = Script("pooled", "unpooled", ("again", "pooled"), requests=3)
    for index in range(3):
        for arm in ("pooled", "unpooled", "again"):
            script.send(arm, 0.01 + index / 1000, on=script.open(arm))
    heads = page(script.run()).cells[0]
    assert heads[1:4] == ["pooled", "unpooled", "again"]
    assert len(heads) == 1 + 3 + 2 * 2


def test_a_run_without_an_answer_says_why() -> None:
    words = page(nothing()).words
    assert words.startswith("❌ kab: not-measured")
    assert "Nothing could be measured of http:" in words


LIVELY = [
    *(HOSTILE_TEXT, "@team", "#7", "a|b", "`x`", "``x`", "<img src=x onerror=alert(1)>", "*a* _b_"),
    *(
        "[x](http://evil.example)",
        "![x](y)",
        "http://evil.example",
        "www.evil.example",
        "a@b.example",
    ),
    *(
        "&lt;b&gt;",
        "\\| \\`",
        "~~gone~~",
        "$x$",
        ":smile:",
        "::error::x ##[x] ##vso[x]",
        "a\n\n# b",
        "| a | b |\n|---|---|",
        "`",
    ),
]


lively = st.lists(st.sampled_from(LIVELY), min_size=1, max_size=4).map(" ".join)


@given(lively)
def test_words_show_as_they_are_in_a_cell_in_a_list_and_in_bold(words: str) -> None:
    for frame in ("| a |\n| --- |\n| {} |\n", "- ⚠️ {}\n", "**{}**\n", "x: {}.\n"):
        found = _Page(html(frame.format(text(words))))
        assert not set(found.tags) - _HARMLESS
        assert printable(words) in found.words.replace(_APART, "")
        assert not re.search(r"@\w|#\d|://|www\.\w|:smile:", found.words)


@pytest.mark.parametrize("words", ["2026-11-27 19:17:59 UTC", "2026-01-02T03:04:05.678+00:00"])
def test_a_time_can_be_copied(words: str) -> None:
    assert text(words) == words


@pytest.mark.parametrize("words", [":100:", ":+1:"])
def test_no_picture_is_made_of_digits_between_colons(words: str) -> None:
    assert text(words) == words.replace(":", ":&#8203;", 1)


@given(lively)
def test_words_as_code_show_as_they_are_in_a_cell(words: str) -> None:
    found = _Page(html(f"| a |\n| --- |\n| {code(words)} |\n"))
    assert found.tags == ["table", "thead", "tr", "th", "tbody", "tr", "td", "code"]
    assert found.cells[1] == [printable(words)]
