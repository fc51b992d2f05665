"""A program's use of connections, in all dialects: the same words, and nothing that acts."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console, Group
from support.usages import (
    FIRST,
    FOLDER,
    HOSTILE,
    LOGIN,
    NO_SESSION,
    PROGRAMS,
    SERVER_CLOSE,
    Builder,
    hostile,
    many_connections,
    many_origins,
    mixed,
    no_session,
    nothing,
    report_of,
    well,
)

from keepalive_bench.cli.exports import OF_TRACE
from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.trace.findings import uncapitalised
from keepalive_bench.trace.report import words
from keepalive_bench.trace.report.dialects import annotation_lines, junit_lines, markdown_lines
from keepalive_bench.trace.report.terminal import terminal_parts
from keepalive_bench.trace.report.webpage import page_lines
from keepalive_bench.trace.tracer._kab_tracer.layout import ENDINGS
from keepalive_bench.trace.usage import Site, Untraced

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.trace.report import TraceReport
    from keepalive_bench.trace.usage import Usage


def screen(report: TraceReport, width: int = 80, *, verbose: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    console.print(Group(*terminal_parts(report, width, plain_ascii=False, verbose=verbose)))
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


DIALECTS: dict[str, Callable[[TraceReport], str]] = {
    "terminal": lambda report: flat(screen(report)),
    "markdown": lambda report: "".join(markdown_lines(report)),
    "junit": lambda report: "".join(junit_lines(report)),
    "page": lambda report: "".join(page_lines(report)),
}


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_each_tells_the_answer_the_line_the_cure_and_how_much_was_traced(
    dialect: Callable[[TraceReport], str],
) -> None:
    text = dialect(report_of(no_session())).replace("\\_", "_").replace("&#8203;", "")
    for said in (
        "214 of 220 requests to api.example.com:443 opened a connection; 2 would do",
        "app.py:31 in sync: 213 requests, 213 connections: requests.get makes a Session each time",
        "requests.Session()",
        "10.3 s",
        "1 process (Python 3.11)",
    ):
        assert flat(re.sub("<[^>]*>", "", said)) in flat(re.sub("<[^>]*>", "", text))


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_each_tells_what_was_not_seen(dialect: Callable[[TraceReport], str]) -> None:
    text = dialect(report_of(mixed())).replace("\\", "")
    for said in ("4720", "started with -I", "17 records", "4713.records", "TypeError: no len()"):
        assert said in re.sub("<[^>]*>", "", text)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_no_line_is_wider_than_the_terminal_and_all_of_it_prints(
    program: Callable[[], Usage], width: int
) -> None:
    lines = screen(report_of(program(), "reuse>=90%"), width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line.isprintable() and not line.startswith("::") for line in lines)


def test_the_terminal_explains_the_worst_and_says_how_much_is_left() -> None:
    text = screen(report_of(many_origins()))
    assert len(re.findall("requests.get makes", text)) == 3
    assert "37 more origins with -v" in text
    assert "(30 other origins)" in text


def test_verbose_explains_all_and_has_each_connection_in_a_row() -> None:
    text = screen(report_of(mixed()), 200, verbose=True)
    assert "with -v" not in text
    rows = [row for run in words.connection_runs(report_of(mixed())) for row in run.rows]
    assert sum(int(count) for _, count, *_ in rows) == len(mixed().connections)
    assert "1.84 s: closed with its client" in text
    assert "open to the end" in text


def test_connections_that_are_alike_and_follow_each_other_are_one_row() -> None:
    alike = Builder().open(NO_SESSION, 3, setup_s=0.003).open(FIRST, start_s=9.0)
    (run,) = words.connection_runs(report_of(alike.usage("")))
    (several, one) = run.rows
    assert several[:4] == ("0.000 ms …", "3", "3", "3.00 ms")
    assert one[:2] == ("9.00 s", "1")


def test_where_no_connection_was_opened_nothing_is_explained() -> None:
    usage = Builder().known(0, refused=2).usage("No request was seen: 2 connections failed.")
    assert usage.origins
    for dialect in DIALECTS.values():
        assert "Why connections were opened" not in dialect(report_of(usage))


def test_what_can_be_avoided_comes_before_what_is_more_frequent() -> None:
    usage = Builder().open(SERVER_CLOSE, 50).open(NO_SESSION, 3).usage("")
    (part,) = words.origin_parts(report_of(usage), None, 1)
    assert [it.reason for it in part.reasons] == ["new-client"]
    assert part.more == "1 more reason for 50 connections"


def test_connections_that_nothing_could_be_reused_for_are_told_in_a_line() -> None:
    busy = FIRST._replace(
        site=Site("app.py", 7, "go"), text="All others were busy.", evidence={"busy": 8}
    )
    text = flat(screen(report_of(Builder().open(FIRST, 2).open(busy, 8).usage(""))))
    assert (
        "i 10 connections were opened because their clients had none yet, or all others were busy "
        "(app.py:7 in go). [first-use]"
    ) in text
    assert text.count("[first-use]") == 1


def test_failures_have_columns_only_where_there_are_any() -> None:
    assert "failed" in words.origin_table(mixed()).headings
    assert "failed" not in words.origin_table(well()).headings


def test_each_ending_of_the_tracer_has_words() -> None:
    assert set(words.ENDINGS) == set(ENDINGS)


def test_requirements_are_test_cases_with_what_explains_them() -> None:
    text = "".join(junit_lines(report_of(mixed(), "reuse>=90%", "processes==2")))
    suite = ET.fromstring(text.encode())[0]  # noqa: S314  # kab's own XML
    cases = {it.attrib["name"]: it for it in suite.iter("testcase")}
    assert list(cases) == ["kab trace", "reuse>=90%", "processes==2"]
    (failure,) = cases["reuse>=90%"]
    assert failure.tag == "failure"
    assert "app.py:31 in sync" in (failure.text or "")
    assert not len(cases["processes==2"])


def test_a_program_of_which_nothing_was_seen_is_an_error_among_test_cases() -> None:
    text = "".join(junit_lines(report_of(nothing())))
    suite = ET.fromstring(text.encode())[0]  # noqa: S314  # the same
    assert suite.attrib["errors"] == "1"
    assert "its environment was replaced" in text


def test_annotations_are_on_the_lines_of_the_call_sites() -> None:
    missed, found = annotation_lines(report_of(no_session(), "reuse>=90%"))
    assert missed == (
        "::error title=Missed%3A reuse>=90%25::reuse of api.example.com:443 is 2.727 %25 "
        "(new-client: 213). api.example.com:443: app.py:31 in sync: 213 requests, 213 connections: "
        "requests.get makes a Session each time. Make one Session and use it for all requests: "
        "session = requests.Session(). Saves at least 10.3 s."
    )
    assert found == (
        "::warning file=app.py,line=31,title=kab%3A new-client::app.py:31 in sync: 213 requests, "
        "213 connections: requests.get makes a Session each time (api.example.com:443). Make one "
        "Session and use it for all requests: session = requests.Session(). Saves at least 10.3 s."
    )


@pytest.mark.parametrize(
    ("file", "named"),
    [
        (f"{FOLDER}/a,b:c%.py", "file=a%2Cb%3Ac%25.py,line=3,"),
        ("/elsewhere/app.py", ""),
        (f"{FOLDER}/.venv/lib/python3.11/site-packages/a.py", ""),
        ("<string>", ""),
    ],
)
def test_only_files_beneath_the_folder_are_annotated(file: str, named: str) -> None:
    opening = NO_SESSION._replace(site=Site(file, 3, "f"))
    (line,) = annotation_lines(report_of(Builder().open(opening).usage("")))
    assert line.startswith(f"::warning {named}title=kab%3A new-client::")


def test_no_more_is_annotated_than_is_shown_of_a_step() -> None:
    assert len(list(annotation_lines(report_of(many_origins())))) == 10


def test_a_program_of_which_nothing_was_seen_is_annotated() -> None:
    (line,) = annotation_lines(report_of(nothing()))
    assert line.startswith("::warning title=kab trace::No request was seen.")


def test_a_hostile_program_writes_one_command_a_line_and_no_other() -> None:
    for line in annotation_lines(report_of(hostile(), "reuse>=90%")):
        assert line.isprintable()
        assert line.count("::") == 2 or "[::1]" in line


def test_nothing_from_a_program_is_markdown() -> None:
    lines = "".join(markdown_lines(report_of(hostile())))
    text = re.sub(r"(`+) .*? \1", "", lines)  # a span of code is literal
    assert "<script>" not in text
    assert "@team" not in text
    assert HOSTILE not in text
    assert not re.search(r"(?<!\\)\]\(http", text)


def test_nothing_from_a_program_is_html() -> None:
    text = "".join(page_lines(report_of(hostile())))
    assert "<script>@team" not in text
    assert "\\u003cscript\\u003e" in text
    assert "&lt;script&gt;@team" in text


def test_a_page_of_ten_thousand_connections_is_hardly_larger_than_one_of_few() -> None:
    few, many = (len("".join(page_lines(report_of(it)))) for it in (mixed(), many_connections()))
    assert many - few < 100_000


def test_each_exporter_of_a_trace_writes_something_of_every_program() -> None:
    assert [it.name for it in OF_TRACE] == ["json", "markdown", "junit", "html"]
    for program in PROGRAMS.values():
        for exporter in OF_TRACE:
            assert "".join(exporter.lines(report_of(program())))


def test_many_reasons_for_not_being_traced_are_counted_by_kind() -> None:
    untraced = [Untraced(pid, "started with -I") for pid in range(100, 130)]
    usage = Builder().open(FIRST, origin=LOGIN).usage("", untraced=untraced)
    (line,) = words.not_seen(usage)
    assert line == (
        "Not traced: 30 processes (100, 101, 102, 103, 104 and 25 more): started with -I."
    )


@pytest.mark.parametrize("kind", PROGRAM_REASONS, ids=lambda kind: kind.code)
def test_reasons_begin_small_behind_a_colon(kind: ReasonKind) -> None:
    """Unless a name begins them: `requests.get`."""
    assert not uncapitalised(kind.text)[0].isupper()
