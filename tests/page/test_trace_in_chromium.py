"""The page of a traced program in a real browser: it draws, answers the pointer, asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from page.browser import Browser, browser
from page.test_in_chromium import _BROKEN, _CONTRAST, _CUT
from support.usages import PROGRAMS, report_of

from keepalive_bench.trace.report.webpage import page_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

_DRAWN = ("no session", "mixed", "many origins", "many connections", "hostile")
_TIP = "[...document.querySelectorAll('#traced [aria-label=tip]')].map((it) => it.textContent)"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    paths = {}
    for name, program in PROGRAMS.items():
        paths[name] = folder / f"{name}.html"
        text = "".join(page_lines(report_of(program(), "reuse>=90%", "processes>=1")))
        paths[name].write_text(text, "utf-8", errors="backslashreplace")
    return paths


@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_loads_nothing_and_the_browser_has_nothing_to_complain_of(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    chromium.open(pages[name], width=width)
    assert not chromium.complaints()
    assert all(url.startswith(("file:", "data:")) for url in chromium.requests())
    assert chromium.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", _DRAWN)
def test_connections_are_drawn_with_nothing_outside_of_the_picture(
    chromium: Browser, pages: dict[str, Path], name: str
) -> None:
    chromium.open(pages[name])
    assert chromium.count("#traced svg") > 0
    assert chromium.ask(_CUT) == []
    assert chromium.ask(_BROKEN) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(chromium: Browser, pages: dict[str, Path], scheme: str) -> None:
    chromium.open(pages["mixed"], scheme=scheme)
    assert chromium.ask(_CONTRAST) >= 4.5


def test_a_pointer_on_a_lane_is_told_of_its_connection(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["mixed"])
    chromium.point_at("#traced svg", 1, aside=-200, up=-6)
    told = "".join(chromium.ask(_TIP))
    assert "request-limit" in told
    assert "app.py:40 in push" in told


def test_a_pointer_on_a_band_is_told_how_many_there_are(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["mixed"])
    chromium.point_at("#traced svg", 0, aside=-100)
    told = "".join(chromium.ask(_TIP))
    assert "new-client, app.py:31 in sync: 40 connections" in told
    assert "being opened" in told


def test_origins_of_a_usual_program_fit_beside_all_their_numbers(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["mixed"])
    fits = "(it => it.scrollWidth <= it.clientWidth)(document.querySelector('.wide'))"
    assert chromium.ask(fits) is True


def test_ten_thousand_connections_are_few_elements(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["many connections"])
    assert chromium.count("#traced *") < 10_000
