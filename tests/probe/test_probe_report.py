"""A probe in words: on terminals of all widths, and as CI systems show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cmarkgfm  # type: ignore[import-untyped]  # it has no types
import pytest
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # the same
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from support.orders import orders_in, without_annotations
from support.probes import Endpoint, record_of, report_on, worlds
from support.screens import probe_screen

from keepalive_bench.cli.exports import OF_PROBE, Exporter
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.report import words
from keepalive_bench.probe.report.dialects import annotation_lines, junit_lines, markdown_lines

if TYPE_CHECKING:
    from keepalive_bench.probe.probed import Probed
    from keepalive_bench.probe.report import ProbeReport

every_world = pytest.mark.parametrize("probed", worlds().values(), ids=worlds())
_REQUIRED = ("idle_timeout>=60s", "silent_drop>=350s", "lifetime>=5s")


def screen(probed: Probed, width: int = 80, *required: str, verbose: bool = False) -> str:
    return probe_screen(report_on(probed, *required), width, verbose=verbose)


def flat(text: str) -> str:
    return " ".join(text.split())


def row(probed: Probed, name: str) -> tuple[str, str]:
    """What the table has of something."""
    (found,) = (it for it in words.found_rows(probed) if it.name == name)
    return found.value, found.note


@every_world
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_but_code_is_wider_than_the_terminal_and_none_is_an_order(
    probed: Probed, width: int
) -> None:
    text = screen(probed, width, *_REQUIRED, verbose=True)
    code = {f"    {line}" for line in probed.code.splitlines()}
    assert all(len(line) <= width for line in text.splitlines() if line not in code)
    assert all(line.isprintable() for line in text.splitlines())
    assert not orders_in(text)


@every_world
def test_the_answer_comes_first(probed: Probed) -> None:
    assert flat(screen(probed)).startswith(flat(probed.sentence)[:200])


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_code_can_be_copied_whole(width: int) -> None:
    probed = worlds()["silent drop"]
    lines = screen(probed, width).splitlines()
    copied = [it.removeprefix("    ") for it in lines]
    code = probed.code.splitlines()
    start = copied.index(code[0])
    assert copied[start : start + len(code)] == code


@every_world
def test_in_ascii_there_is_nothing_else(probed: Probed) -> None:
    assert probe_screen(report_on(probed, *_REQUIRED), 80, encoding="ascii").isascii()


@pytest.mark.parametrize(
    ("world", "name", "value"),
    [
        ("well", "idle timeout", "75.0 s"),
        ("well", "silent drop", "none up to 65.0 s"),
        ("well", "lifetime", "not tested"),
        ("well", "request limit", "not tested"),
        ("well", "announced", "nothing"),
        ("well", "race window", "74.98 to 75.00 s"),
        ("kept", "idle timeout", "none up to 130 s"),
        ("kept", "silent drop", "none up to 130 s"),
        ("silent drop", "silent drop", "5.37 to 6.05 s"),
        ("closed", "idle timeout", "none"),
        ("interrupted", "idle timeout", "none up to 20.0 s"),
        ("interrupted", "silent drop", "none up to 16.0 s"),
        ("everything", "lifetime", "10.0 to 10.5 s"),
        ("everything", "request limit", "100 requests"),
        ("everything", "announced", "timeout=5, max=100"),
    ],
)
def test_what_was_found_is_said_and_what_was_not_looked_for_is_not_denied(
    world: str, name: str, value: str
) -> None:
    assert row(worlds()[world], name)[0] == value
    assert re.search(rf"(?m)^{name} +{re.escape(value)}( |$)", screen(worlds()[world]))


def test_what_was_not_looked_for_names_the_option_that_does() -> None:
    assert row(worlds()["well"], "lifetime")[1] == "use --max-age TIME"
    assert row(worlds()["well"], "request limit")[1] == "use --scan-requests N"


def test_each_backend_has_its_own_timeout_and_its_own_race_window() -> None:
    found = [*words.found_rows(worlds()["backends"])]
    assert [it.value for it in found][:2] == ["3.00 s", "8.00 s"]
    at = [it.name for it in found].index("race window")
    assert [it.value for it in found][at : at + 2] == ["2.98 to 3.00 s", "7.98 to 8.00 s"]


def test_a_path_that_forgets_would_lose_a_close_too_so_none_is_denied() -> None:
    assert row(worlds()["reset drop"], "idle timeout")[0] == "none up to 5.37 s"
    text = screen(worlds()["reset drop"])
    assert "no end seen" in text
    assert "still open" not in text


def test_how_a_connection_is_lost_is_said() -> None:
    assert row(worlds()["silent drop"], "silent drop")[1] == "a reuse hangs, unacknowledged: 9 did"
    assert row(worlds()["reset drop"], "silent drop")[1] == "a reuse is reset: 9 did"


def test_nothing_is_found_where_nothing_answered() -> None:
    text = screen(worlds()["refused"])
    assert "idle timeout" not in text
    assert "0 connections and 0 requests" in text


def test_what_was_sent_when_and_to_whom_is_told() -> None:
    text = flat(screen(worlds()["well"]))
    asked = (
        "GET http://api.example.com/ · 13 connections and 20 requests in 75.1 s, from 2026-01-02"
    )
    assert asked in text


def test_behaviours_are_told_by_group() -> None:
    text = screen(worlds()["everything"], 200)
    assert re.search(r"(?m)^paths +GET /missing +closed +500, then FIN after 1.20 ms.$", text)
    assert re.search(r"(?m)^ +HTTP/1.0 with keep-alive +– +No response came", text)
    assert text.count("http1.0") == 1


def test_a_balancer_whose_requests_fail_is_a_warning() -> None:
    probed = analyse(record_of(Endpoint((30.0,))))
    asked = probed.record.asked._replace(behind="ALB 60s")
    found = analyse(probed.record._replace(asked=asked))
    assert re.search(r"(?m)^! .* for 60 s, but", screen(found, 200))
    assert any("502" in it for it in annotation_lines(report_on(found)))


def test_each_connection_is_a_row_where_that_is_asked_for() -> None:
    probed = worlds()["silent drop"]
    assert "narrowed down" not in screen(probed, 200)
    text = screen(probed, 200, verbose=True)
    rows = re.findall(r"(?m)^(\d+) +(\w[\w ]*?)  +192\.0\.2\.1:80", text)
    assert [int(number) for number, _ in rows] == [*range(1, len(probed.record.connections) + 1)]
    assert re.search(r"no response \(read-timeout\)$", text, re.MULTILINE)


def html(report: ProbeReport) -> str:
    rendered: str = cmarkgfm.github_flavored_markdown_to_html(
        "".join(markdown_lines(report)), options=Options.CMARK_OPT_UNSAFE
    )
    return rendered


@every_world
def test_markdown_is_plain_and_mentions_nobody(probed: Probed) -> None:
    page = html(report_on(probed, *_REQUIRED))
    plain = {"h2", "h3", "p", "strong", "code", "ul", "li", "table", "thead", "tbody", "tr", "pre"}
    assert {*re.findall(r"<([a-z0-9]+)", page)} <= plain | {"th", "td"}
    assert "@team" not in re.sub(r"<code>.*?</code>", "", page)  # nobody is mentioned in code
    assert not orders_in("".join(markdown_lines(report_on(probed, *_REQUIRED))))


@pytest.mark.parametrize(
    ("world", "required", "mark"),
    [
        ("well", (), "✅"),
        ("well", ("idle_timeout>=60s",), "✅"),
        ("well", ("idle_timeout>=80s",), "❌"),
        ("closed", (), "⚠️"),
        ("refused", (), "⚠️"),
        ("everything", (), "⚠️"),
    ],
)
def test_the_heading_tells_at_a_glance_whether_all_is_well(
    world: str, required: tuple[str, ...], mark: str
) -> None:
    text = "".join(markdown_lines(report_on(worlds()[world], *required)))
    assert text.startswith(f"## {mark} kab probe")


def suite(report: ProbeReport) -> TestSuite:
    (only,) = JUnitXml.fromstring("".join(junit_lines(report)).encode())
    return only


def test_each_requirement_is_a_test_case() -> None:
    report = report_on(worlds()["well"], "idle_timeout>=80s", "silent_drop>=350s", "lifetime>=1s")
    outcomes = {case.name: type(case.result[0]) if case.result else None for case in suite(report)}
    assert outcomes == {
        "kab probe": None,
        "idle_timeout>=80s": Failure,
        "silent_drop>=350s": Skipped,
        "lifetime>=1s": Skipped,
    }


def test_what_never_answered_is_an_error() -> None:
    (case,) = suite(report_on(worlds()["refused"]))
    assert isinstance(case.result[0], Error)
    (line,) = annotation_lines(report_on(worlds()["refused"]))
    assert line.startswith("::error title=Nothing was measured::")


@every_world
def test_junit_has_nothing_that_xml_forbids(probed: Probed) -> None:
    text = "".join(junit_lines(report_on(probed, *_REQUIRED)))
    assert all(char == "\n" or char.isprintable() for char in text)
    assert "<script>" not in text
    assert not orders_in(text)


@every_world
def test_annotations_are_the_only_orders(probed: Probed) -> None:
    lines = [*annotation_lines(report_on(probed, *_REQUIRED))]
    assert orders_in("\n".join(lines)) == lines
    assert not orders_in(without_annotations("\n".join(lines)))


@pytest.mark.parametrize("exporter", OF_PROBE, ids=lambda it: it.name)
def test_no_export_has_an_order_or_a_control(exporter: Exporter) -> None:
    text = "".join(exporter.lines(report_on(worlds()["hostile"], *_REQUIRED)))
    assert text
    assert not orders_in(text)
    assert "\x1b" not in text
