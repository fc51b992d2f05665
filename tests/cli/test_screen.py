"""What reaches the screen: colours, widths, the progress bar, and what is left out of a pipe."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from support.command import PROGRESS, called, kab, on_terminal

from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

_THREE = ("--arm", "pooled", "--arm", "unpooled", "--arm", "once-more=pooled")
_MANY_WARNINGS = ("-c", "2", "--maxsize", "1", "-n", "4")


@pytest.fixture(scope="module")
def slow_server() -> Iterator[ServerProcess]:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.02))) as process:
        yield process


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
@pytest.mark.parametrize(
    ("arms", "options"), [((), _MANY_WARNINGS), (_THREE, ("-n", "20"))], ids=["two", "three arms"]
)
def test_the_report_fits_and_nothing_is_cut_off(
    columns: int,
    arms: tuple[str, ...],
    options: tuple[str, ...],
    server: ServerProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = called("run", server.url, *options, *arms)
    assert done.code == 0
    assert "\x1b" not in done.text
    assert max(map(len, done.lines)) <= columns
    assert [line for line in done.lines if line != line.rstrip()] == []
    assert not re.search(r"\S…", done.out)  # as Rich cuts; intervals have a blank
    for label in ("pooled", "unpooled", *(["once-more"] if arms else [])):
        assert label in done.out
    latencies = [line for line in done.lines if line.startswith("latency mean")]
    durations = [duration for line in latencies for duration in re.findall(r"[\d.]+ m?s", line)]
    numbers_wanted = (3 + 2) if arms else 2  # each arm's latency, and a difference if it is sure
    assert len(durations) == numbers_wanted, latencies


_ASKED = "GET {url}/ · 3 requests per arm, 1 at a time, maxsize 1, in random pairs\n"


def test_without_a_terminal_standard_error_has_what_is_asked_and_output_the_report(
    server: ServerProcess,
) -> None:
    done = kab("run", server.url, "-n", "3", env=PROGRESS)
    assert (done.code, done.err) == (0, _ASKED.format(url=server.url))
    assert max(map(len, done.lines)) <= 80
    assert called("run", server.url, "-n", "3", "--quiet", env=PROGRESS).err == ""


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
@pytest.mark.parametrize("command", ["run", "sweep"])
def test_no_variable_moves_the_cursor_of_a_pipe(
    command: str, name: str, server: ServerProcess
) -> None:
    options = {"run": ("-n", "5"), "sweep": ("--maxsize", "1,2", "-c", "2", "-n", "40")}[command]
    wanted = (command, server.url, *options, "--require", "failed==0")
    done = called(*wanted, env={**PROGRESS, name: "1", "TERM": "xterm"})
    assert done.code == 0
    assert ("\x1b[" in done.out) == (name != "TTY_INTERACTIVE")
    for told in (done.out, done.err):
        assert not re.search(r"\x1b(?!\[[\d;]*m)|\r", told)
    plain = called(*wanted, env={**PROGRESS, name: "1", "NO_COLOR": "1"})
    assert "\x1b" not in plain.text


def test_the_progress_bar_is_drawn_on_a_terminal_and_leaves_standard_output_alone(
    slow_server: ServerProcess,
) -> None:
    done = on_terminal("run", slow_server.url, "-n", "10")
    assert done.code == 0
    for told in ("measuring", " of 20", "/s", "mean so far · pooled: ", "10 requests per arm"):
        assert told in done.err
    assert " of 20" not in done.out  # a finding may say that it was while measuring
    assert "\x1b" not in done.out
    assert done.err.rindex("\x1b[?25h") > done.err.rindex("\x1b[?25l")  # the cursor is back


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TTY_INTERACTIVE": "0"}])
def test_a_terminal_that_can_not_be_drawn_on_gets_lines(
    env: dict[str, str], slow_server: ServerProcess
) -> None:
    if "TTY_INTERACTIVE" in env and version("rich") < "14.1":
        pytest.skip("Rich doesn't know the variable yet")
    done = on_terminal("run", slow_server.url, "-n", "3", env=env)
    asked = _ASKED.format(url=slow_server.url)
    assert (done.code, done.err.replace("\r\n", "\n")) == (0, asked)


@pytest.mark.parametrize("option", ["--quiet", "--verbose"])
def test_no_progress_bar_is_drawn_with(option: str, server: ServerProcess) -> None:
    done = on_terminal("run", server.url, "-n", "2", option)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "env"), [(("--no-color",), {}), ((), {"NO_COLOR": "1"})], ids=["option", "env"]
)
def test_without_colour_the_bar_has_none(
    arguments: tuple[str, ...], env: dict[str, str], slow_server: ServerProcess
) -> None:
    done = on_terminal("run", slow_server.url, "-n", "10", *arguments, env=env)
    assert done.code == 0
    assert "measuring" in done.err
    assert not re.search(r"\x1b\[[\d;]*[1-9][\d;]*m", done.err)


_SWEPT = ("sweep", "--maxsize", "1,4", "-c", "4", "-n", "160")


@pytest.mark.parametrize("words", [("run", "-n", "20"), _SWEPT], ids=["run", "sweep"])
def test_the_columns_of_an_ascii_terminal_are_below_each_other(
    words: tuple[str, ...], server: ServerProcess
) -> None:
    command, *options = words
    done = called(command, server.url, *options, env={"COLUMNS": "80"}, encoding="ascii")
    assert "] |" in done.out or re.search(r"\[.* \.\.\. .*\]$", done.out, re.MULTILINE)
    tables = re.findall(r"(?:^.*\|.*\n)(?:^[-+]+\n)(?:^.*\|.*\n)+", done.out, re.MULTILINE)
    assert len(tables) == (2 if command == "run" else 3)
    for table in tables:
        head, rule, *rows = table.splitlines()
        bars = [place for place, char in enumerate(rule) if char == "+"]
        for row in (head, *rows):
            assert [place for place, char in enumerate(row) if char == "|"] == bars[
                : row.count("|")
            ]
            assert len(row) <= len(rule)


def test_an_ascii_terminal_gets_ascii(server: ServerProcess) -> None:
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "COLUMNS": "120"}
    done = kab("run", server.url, "-n", "3", "--verbose", env=env)
    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()
    assert "latency mean" in done.out


def test_an_ascii_terminal_gets_no_question_marks_for_what_ascii_can_say(
    server: ServerProcess,
) -> None:
    done = called("run", server.url, "-n", "3", env={"COLUMNS": "120"}, encoding="ascii")
    assert "?" not in done.out


def test_verbose_prints_a_line_for_each_response(server: ServerProcess) -> None:
    done = called("run", server.url, "-n", "2", "-f", "q=a", "-f", "q=b", "--verbose")
    lines = [line for line in done.lines if re.match(r"(un)?pooled #\d", line)]
    assert sorted(line.split("  ")[0] for line in lines) == [
        "pooled #0",
        "pooled #1",
        "unpooled #0",
        "unpooled #1",
    ]
    for line in lines:
        parts = line.split("  ")
        assert parts[1:4] == ["200", "text/plain", "1.0 KiB"]
        assert "connection " in parts[4]
        assert "wait " in parts[6]
        assert parts[7] == ("q=a" if "#0" in parts[0] else "q=b")
    assert sum("(new)" in line for line in lines) == 3  # one pooled, two unpooled


def test_verbose_says_why_a_request_failed(refusing_url: str) -> None:
    done = called("run", refusing_url, "-n", "1", "--verbose")
    lines = [line for line in done.lines if "#0" in line]
    assert len(lines) == 2
    assert all("connect-refused" in line for line in lines)
