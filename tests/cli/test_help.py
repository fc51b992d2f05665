"""`kab`, its help and its version."""

from __future__ import annotations

import re

import pytest
from support.command import called, kab

import keepalive_bench
from keepalive_bench.plan.fields import options_of
from keepalive_bench.plan.options import GROUPS
from keepalive_bench.plan.plan import Plan


def test_the_version_is_told() -> None:
    done = kab("--version")
    assert (done.code, done.err) == (0, "")
    assert keepalive_bench.__version__ in done.out


def test_kab_alone_shows_its_help_on_standard_error() -> None:
    done = kab()
    assert (done.code, done.out) == (2, "")
    assert "Usage: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("spelling", ["-h", "--help"])
def test_the_help_names_the_commands_and_the_exit_codes(spelling: str) -> None:
    done = called(spelling)
    assert (done.code, done.err) == (0, "")
    for word in ("run", "serve", "demo", "130", "Exit codes"):
        assert word in done.out


def test_the_help_of_run_has_every_option_below_its_heading() -> None:
    done = called("run", "--help")
    assert (done.code, done.err) == (0, "")
    sections = re.split(r"^(\w.*):$", done.out, flags=re.MULTILINE)
    below = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert list(below) == [*GROUPS, "Other options"]
    for option in options_of(Plan):
        words = below[option.group].replace(",", " ").split()
        assert {*option.flags, option.off} - {*words, ""} == set()
    assert "[URL]" not in "".join(below.values())


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


@pytest.mark.parametrize("command", ["sweep", "report", "compare", "serve", "demo"])
def test_the_other_commands_have_help(command: str) -> None:
    done = called(command, "--help")
    assert done.code == 0
    assert f"kab {command} [OPTIONS]" in done.out


def test_nothing_is_no_default_to_tell() -> None:
    assert not [option.name for option in options_of(Plan) if "()" in option.help]


def test_no_help_has_a_line_wider_than_80() -> None:
    for arguments in ((), ("run",), ("sweep",), ("report",), ("compare",), ("serve",), ("demo",)):
        for line in called(*arguments, "--help").lines:
            assert len(line) <= 88, line  # an example may be long, and must not be broken
