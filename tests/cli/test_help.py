"""`kab`, its help and its version."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest
from support.command import called, kab

import keepalive_bench
from keepalive_bench.cli import kab as group
from keepalive_bench.plan.fields import options_of
from keepalive_bench.plan.options import GROUPS
from keepalive_bench.plan.plan import Plan

COMMANDS = group.list_commands(click.Context(group))


@pytest.mark.parametrize("spelling", ["-V", "--version"])
def test_the_version_is_told(spelling: str) -> None:
    done = called(spelling)
    assert (done.code, done.err) == (0, "")
    assert keepalive_bench.__version__ in done.out


def test_the_version_is_told_without_loading_commands_or_their_options() -> None:
    code = """
import sys
from keepalive_bench.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, check=True, text=True
    )
    loaded = set(done.stderr.split())
    assert "keepalive_bench.cli" in loaded
    assert {"keepalive_bench.cli.options", "keepalive_bench.plan"}.isdisjoint(loaded)


def test_kab_alone_shows_its_help_on_standard_error() -> None:
    done = kab()
    assert (done.code, done.out) == (2, "")
    assert "Usage: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("spelling", ["-h", "--help"])
def test_the_help_names_the_commands_and_the_exit_codes(spelling: str) -> None:
    done = called(spelling)
    assert (done.code, done.err) == (0, "")
    for word in (*COMMANDS, "130", "Exit codes"):
        assert word in done.out
    for name in COMMANDS:  # each once
        assert len(re.findall(rf"^  {name} ", done.out, re.MULTILINE)) == 1


def test_the_help_of_run_has_every_option_below_its_heading() -> None:
    done = called("run", "--help")
    assert (done.code, done.err) == (0, "")
    sections = re.split(r"^(\w.*):$", done.out, flags=re.MULTILINE)
    below = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert list(below) == [it for it in GROUPS if it in below]
    for option in options_of(Plan):
        words = below[str(option.group)].replace(",", " ").replace("[no-]", "").split()
        assert {*option.flags} - {*words} == set()
    assert "[URL]" not in "".join(below.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_short(command: str) -> None:
    assert len(called(command, "--help", env={"COLUMNS": "80"}).lines) <= 110


@pytest.mark.parametrize("command", ["run", "sweep", "compare", "serve"])
def test_each_option_takes_a_few_lines(command: str) -> None:
    out = called(command, "--help", env={"COLUMNS": "80"}).out
    _, _, options = out.partition("\n\n")
    for told in re.split(r"\n(?=  -|\n)", options):
        assert told.lstrip("\n").count("\n") <= 2 or not told.startswith("  -"), told


def test_the_help_of_run_says_where_curl_differs_and_that_proxies_are_not_used() -> None:
    text = " ".join(called("run", "--help").out.split())
    for said in (
        "from curl",
        "-f is always a query parameter",
        "-t the timeout",
        "not used",
        "http_proxy",
    ):
        assert said in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    done = called(command, "--help")
    assert done.code == 0
    assert f"kab {command} [OPTIONS]" in done.out


def test_nothing_is_no_default_to_tell() -> None:
    assert not [option.name for option in options_of(Plan) if "()" in option.help]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_help_has_a_line_wider_than_the_terminal_or_80(columns: int) -> None:
    for arguments in ((), *((name,) for name in COMMANDS)):
        for line in called(*arguments, "--help", env={"COLUMNS": f"{columns}"}).lines:
            is_copied = line.startswith(("  kab ", "  bash", "  zsh", "  fish"))
            assert len(line) <= (80 if is_copied else min(columns, 80)), line


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_help_is_in_the_characters_of_the_terminal(encoding: str) -> None:
    text = called("run", "--help", encoding=encoding).out
    assert ("1 ± N" in text) == (encoding == "utf-8")
    assert ("1 +/- N" in text) == (encoding != "utf-8")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("rnu", "Did you mean run?"),
        ("explian", "Did you mean explain?"),
        ("xyzzy", "kab --help lists the commands."),
    ],
)
def test_a_command_that_there_is_not_is_refused_with_what_may_be_meant(
    typed: str, said: str
) -> None:
    done = called(typed, "http://127.0.0.1:9/")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: kab has no command '{typed}'. {said}\n"
