"""The page of a probe in a real browser: it fits, can be read, and asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from page.browser import Browser, browser
from page.test_in_chromium import _CONTRAST
from support.probes import report_on, worlds

from keepalive_bench.probe.report.timeline import timeline
from keepalive_bench.probe.report.webpage import page_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

_DRAWN = ["well", "silent drop", "far backends", "hostile"]
_OPENED = "document.querySelectorAll('details').forEach((it) => { it.open = true; })"
_CUT = """
[...document.querySelectorAll('.lanes .strip path, .lanes text')].filter((it) => {
  const own = it.getBoundingClientRect(), page = document.documentElement.clientWidth;
  return own.left < 0 || own.right > page;
}).map((it) => it.outerHTML)
"""
_OVER = """
[...document.querySelectorAll('.lanes .scale text')].map((it) => it.getBoundingClientRect())
  .filter((it, n, all) => n && it.left < all[n - 1].right).length
"""
"""Numbers that lie over each other."""
_MIDDLES = """
(() => {
  const grid = document.querySelector('.grid').getBoundingClientRect();
  return [...document.querySelectorAll('.lanes ol .strip > svg')].flatMap((lane) =>
    [...lane.querySelectorAll('svg')].map((it) => {
      const matrix = it.firstElementChild.getScreenCTM();
      return (matrix.e - grid.left) / grid.width;
    }));
})()
"""
"""How far from the left of the axis each sign's own origin is."""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    paths = {}
    for name, probed in worlds().items():
        paths[name] = folder / f"{name.replace(' ', '-')}.html"
        report = report_on(probed, "idle_timeout>=60s", "silent_drop>=350s")
        paths[name].write_text("".join(page_lines(report)), encoding="utf-8")
    return paths


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("name", worlds())
def test_it_loads_nothing_fits_and_the_browser_has_nothing_to_complain_of(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    chromium.open(pages[name], width=width)
    chromium.ask(_OPENED)
    assert chromium.complaints() == []
    assert set(chromium.requests()) <= {pages[name].as_uri(), "data:,"}
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    assert chromium.ask(_CUT) == []
    assert chromium.ask(_OVER) == 0


@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("name", _DRAWN)
def test_each_sign_stands_on_the_axis_where_it_happened(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    chromium.open(pages[name], width=width)
    picture = timeline(worlds()[name])
    assert picture is not None
    marks = sorted(mark.at for lane in picture.lanes for mark in lane.marks)
    assert sorted(chromium.ask(_MIDDLES)) == pytest.approx(marks, abs=0.002)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["everything", "silent drop"])
def test_all_text_can_be_read(
    chromium: Browser, pages: dict[str, Path], name: str, scheme: str
) -> None:
    chromium.open(pages[name], scheme=scheme)
    assert chromium.ask(_CONTRAST) >= 4.5


def test_a_race_window_too_narrow_to_be_seen_is_a_line_all_the_same(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["well"])
    band = "getComputedStyle(document.querySelector('.grid .band-window'))"
    assert chromium.ask(f"parseFloat({band}.strokeWidth)") >= 2
    assert chromium.ask(f"{band}.stroke") != "none"


def test_the_code_is_copied_as_it_is_written(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["silent drop"], width=360)
    assert chromium.ask("document.querySelector('pre').innerText") == worlds()["silent drop"].code


def test_a_screen_reader_is_told_what_each_lane_shows(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["silent drop"])
    nodes = chromium.tell("Accessibility.getFullAXTree")["nodes"]
    said = [it["name"]["value"] for it in nodes if it.get("role", {}).get("value") == "image"]
    assert said == [
        "Time line of watched × 5",
        "Time line of reused × 8",
        "Time line of narrowed × 6",
    ]
    notes = chromium.ask("[...document.querySelectorAll('ol .note')].map((it) => it.innerText)")
    assert notes[1] == "3 answered, up to 4.00 s, 5 died after 8.10 to 130 s"


def test_hostile_words_show_as_text(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["hostile"])
    assert "<script>@team" in chromium.ask("document.body.innerText")
    assert chromium.count("img, script") == 0
