"""The tests of docs/pytest.md pass and fail as it says, and the rest of its code runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = "pytester"

PAGE = (Path(__file__).parents[2] / "docs" / "pytest.md").read_text("utf-8")
TESTS, LIBRARY = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(SHOWN,) = re.findall(r"```\n(>.*?)```", PAGE, re.DOTALL)
ADDRESS = "127.0.0.1:8080"


@pytest.fixture
def address() -> Iterator[str]:
    with Server(ServerSettings()) as server:
        yield f"127.0.0.1:{server.port}"


def test_its_tests_pass(pytester: pytest.Pytester, address: str) -> None:
    pytester.makepyfile(test_sync=TESTS.replace(ADDRESS, address))
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_without_a_session_they_fail_as_it_shows(pytester: pytest.Pytester, address: str) -> None:
    tests = TESTS.replace("    sync(session)", "    sync(requests)").replace(ADDRESS, address)
    pytester.makepyfile(test_sync=tests)
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(failed=2)
    shown = [re.escape(line) for line in SHOWN.replace(ADDRESS, address).splitlines()]
    done.stdout.re_match_lines([re.sub(r"[\d\\.]+\\ ms", r"[\\d.]+ m?s", it) for it in shown])


def test_a_watch_without_pytest_runs(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(TESTS.replace(ADDRESS, address) + LIBRARY, names)  # noqa: S102  # it is the page's
    assert capsys.readouterr().out.startswith("3 connections\n3 of 3 requests to ")
