"""Places in words: on terminals of all widths, and as CI systems show them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import cmarkgfm  # type: ignore[import-untyped]  # it has no types
import pytest
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # the same
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from support.exports import intervals_are_whole, set_by_rich
from support.orders import orders_in, without_annotations
from support.places import GONE, Link, compared, run_over, worlds

from keepalive_bench.places.report.dialects import annotation_lines, junit_lines, markdown_lines
from keepalive_bench.places.report.terminal import terminal_parts
from keepalive_bench.places.report.words import SMALL_PRINT

if TYPE_CHECKING:
    from keepalive_bench.places.report import Places

every_world = pytest.mark.parametrize("found", worlds().values(), ids=worlds())


def screen(found: Places, width: int = 80) -> str:
    return set_by_rich(terminal_parts(found, width, plain_ascii=False), width)


def flat(text: str) -> str:
    return " ".join(text.split())


@every_world
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal_or_an_order(found: Places, width: int) -> None:
    text = screen(found, width)
    assert max(map(len, text.splitlines())) <= width
    assert all(line.isprintable() for line in text.splitlines())
    assert not orders_in(text)


@every_world
def test_the_sentence_comes_first(found: Places) -> None:
    assert flat(screen(found)).startswith(flat(found.sentence)[:200])


def test_a_row_tells_all_of_a_place() -> None:
    text = screen(worlds()["lost"], 200)
    assert re.search(
        r"^us +80\.0 ms +6 +5 server-close +81\.1 ms +241 ms +1\.0 : 3\.0 ", text, re.MULTILINE
    )
    assert re.search(r"^us .* 160 ms +\[160 … 160\] +faster$", text, re.MULTILINE)
    assert re.search(r"^gone[ –]+lost$", text, re.MULTILINE)
    assert intervals_are_whole(text)


def test_what_the_places_sent_and_what_differs_is_told() -> None:
    text = flat(screen(worlds()["lost"]))
    assert "2 places sent 240 requests over 127 connections, with all arms" in text
    assert "TLS: TLSv1.3 only in us; none in eu" in text
    assert "reason: server-close only in us; none in eu" in text
    assert f"! gone is lost. {GONE.why}" in text


def test_what_was_asked_is_said_as_far_as_it_was_the_same_and_when() -> None:
    same = compared({"eu": run_over(Link(0.02)), "us": run_over(Link(0.08))})
    asked = "GET http://api.example.com/ · 60 requests per arm, 1 at a time, maxsize 1, in random"
    assert asked in flat(screen(same))
    assert "What was asked" not in flat(screen(same))
    text = flat(screen(worlds()["plain"]))
    assert "2 different requests · 2026-" in text
    assert "! What was asked isn't the same everywhere: see url below." in text


@pytest.mark.parametrize(("hours", "is_told"), [(0, False), (30, True)])
def test_runs_that_lie_apart_are_told_and_have_no_rate_together(
    hours: int, *, is_told: bool
) -> None:
    early, late = (run_over(Link(0.02), "pooled") for _ in range(2))
    moment = datetime.fromisoformat(early.run_info.started_at) + timedelta(hours=hours)
    info = late.run_info._replace(started_at=moment.isoformat(timespec="milliseconds"))
    text = flat(screen(compared({"eu": early, "us": late._replace(run_info=info)})))
    assert (
        "! The runs began up to 30 hours apart: what differs may be the time" in text
    ) == is_told
    assert ("Together, their pooled arms sent " in text) != is_told


def test_warnings_of_runs_are_named_with_their_places() -> None:
    text = flat(screen(worlds()["lost"]))
    assert "! Warnings: server-close in us. See kab report FILE, or kab explain CODE." in text


def test_one_answer_of_each_arm_is_measured() -> None:
    found = compared({"eu": run_over(Link(0.02), requests=1)})
    assert found.totals.measured == 1
    assert found.sentence.startswith("Results are inconclusive in eu")


def test_a_place_where_nothing_was_measured_says_why() -> None:
    text = flat(screen(worlds()["nothing"]))
    assert "! eu: Nothing could be measured of http:" in text
    assert "2 places sent 121 requests (1 failed)" in text


def test_no_column_is_empty_but_for_lost_places() -> None:
    text = screen(worlds()["sweeps"], 200)
    assert "saves" not in text
    assert not re.search(r"^place +round trip", text, re.MULTILINE)
    assert "maxsize 1" in text
    assert "maxsize 4" in text


def html(found: Places) -> str:
    rendered: str = cmarkgfm.github_flavored_markdown_to_html(
        "".join(markdown_lines(found)), options=Options.CMARK_OPT_UNSAFE
    )
    return rendered


@every_world
def test_markdown_is_plain_and_mentions_nobody(found: Places) -> None:
    page = html(found)
    plain = {"h2", "h3", "p", "strong", "code", "ul", "li", "table", "thead", "tbody", "tr"}
    assert {*re.findall(r"<([a-z0-9]+)", page)} <= plain | {"th", "td"}
    assert "@team" not in re.sub(r"<code>.*?</code>", "", page)  # nobody is mentioned in code
    assert not orders_in("".join(markdown_lines(found)))


def test_markdown_has_a_row_for_each_place() -> None:
    page = html(worlds()["lost"])
    assert page.startswith("<h2>❌ kab places")
    for name in ("eu", "us", "gone"):
        assert re.search(rf"<td[^>]*>{name}</td>", page)
    assert "1 of 3 places is lost: gone." in page


def test_words_stand_on_the_left_of_their_columns_in_markdown_and_numbers_on_the_right() -> None:
    heads = re.findall(r'<th align="(\w+)">([^<]*)', html(worlds()["lost"]))
    left = [heading for side, heading in heads if side == "left"]
    assert [it for it in left if it in {"place", "reopened", "verdict"}] == left[-3:]
    assert ("right", "saves") in heads


def test_what_all_sent_is_a_paragraph_of_its_own_in_markdown() -> None:
    paragraphs = re.findall(r"<p>(.*?)</p>", html(worlds()["lost"]))
    assert SMALL_PRINT in paragraphs
    assert any(it.startswith("2 places sent 240 requests") for it in paragraphs)


@pytest.mark.parametrize(
    ("world", "mark"),
    [
        ("plain", "✅"),
        ("one", "✅"),
        ("lost", "❌"),
        ("strict", "❌"),
        ("nothing", "❌"),
        ("only lost", "⚠️"),
    ],
)
def test_the_heading_tells_at_a_glance_whether_all_is_well(world: str, mark: str) -> None:
    assert "".join(markdown_lines(worlds()[world])).startswith(f"## {mark} kab places")


def suite(found: Places) -> TestSuite:
    (only,) = JUnitXml.fromstring("".join(junit_lines(found)).encode())
    return only


def test_each_place_and_each_requirement_is_a_test_case() -> None:
    found = suite(worlds()["lost"])
    outcomes = {case.name: type(case.result[0]) if case.result else None for case in found}
    assert outcomes == {
        "eu": None,
        "us": None,
        "gone": Error,
        "pooled.p95<=50ms": Failure,
        "eu: reopened==0": None,
        "p99<=1s": Failure,
        "total.lost==0": Failure,
    }
    assert (found.tests, found.failures, found.errors) == (7, 3, 1)


def test_what_is_undecided_is_skipped_unless_that_is_strict() -> None:
    (_, case) = suite(worlds()["strict"])
    assert isinstance(case.result[0], Failure)
    (_, case) = suite(worlds()["strict"]._replace(strict=False))
    assert isinstance(case.result[0], Skipped)


@every_world
def test_junit_has_nothing_that_xml_forbids(found: Places) -> None:
    text = "".join(junit_lines(found))
    assert all(char == "\n" or char.isprintable() for char in text)
    assert "<script>" not in text
    assert not orders_in(text)
    assert suite(found).tests == len(found.places) + len(found.lost) + len(found.requirements)


def test_annotations_are_of_what_was_missed_and_of_lost_places() -> None:
    titles = [re.split("::", it)[1] for it in annotation_lines(worlds()["lost"])]
    assert titles == [
        "error title=Missed%3A pooled.p95<=50ms",
        "error title=Missed%3A p99<=1s",
        "error title=Missed%3A total.lost==0",
        "warning title=kab places",
    ]
    (error, _) = annotation_lines(worlds()["only lost"])
    assert error.startswith("::error title=Nothing was measured::")


@every_world
def test_annotations_are_the_only_orders(found: Places) -> None:
    lines = [*annotation_lines(found)]
    assert orders_in("\n".join(lines)) == lines
    assert not orders_in(without_annotations("\n".join(lines)))
