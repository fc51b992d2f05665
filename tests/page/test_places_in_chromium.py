"""The page of several places in a real browser: it fits, can be read, and asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from page.browser import Browser, browser
from page.test_in_chromium import _CONTRAST
from support.scripted_places import ARMS, HOSTILE, far_run, many, places, silent_run

from keepalive_bench.places.report.webpage import page_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from keepalive_bench.places.report import Places

pytestmark = pytest.mark.slow

_FOUR_ARMS = (*ARMS, ("again", "pooled"), ("a-label-of-thirty-two-characters", "unpooled"))
_LONG = "n" * 64
_PLACES: dict[str, Callable[[], Places]] = {
    "one": lambda: places({"here": far_run(0.01)}),
    "two": lambda: places({"near": far_run(0.002), "far": far_run(0.2)}),
    "usual": lambda: places(
        {"eu": far_run(0.002), "us": far_run(0.02, per_connection=10), "ap": far_run(0.08)},
        "sa",
        required=["pooled.p95<=50ms", "total.lost==0"],
    ),
    "four arms": lambda: places(
        {"near": far_run(0.002, arms=_FOUR_ARMS), "far": far_run(0.2, arms=_FOUR_ARMS)}
    ),
    "silent": lambda: places({"near": far_run(0.01), "mute": silent_run()}, "gone"),
    "lost": lambda: places({}, "gone", "away"),
    "hostile": lambda: places(
        {_LONG: far_run(0.01), HOSTILE: far_run(0.03, server=HOSTILE)}, HOSTILE * 2
    ),
    "hundred": lambda: many(100),
    "three hundred": lambda: many(300, requests=300),
}
_NAMES = sorted(_PLACES)
_CHARTED = sorted(_PLACES.keys() - {"lost"})
_CUT = """
[...document.querySelectorAll('.strip text, .strip .median, .strip .trip')].filter((it) => {
  const own = it.getBoundingClientRect();
  const row = it.closest('.strip').getBoundingClientRect();
  return own.width + own.height > 0 && (own.left < row.left - 8 || own.right > row.right
    || own.bottom > row.bottom + 1);
}).map((it) => it.outerHTML)
"""
"""What stands outside of its strip; the number at an axis's end lies over it by half."""
_OVER = """
[...document.querySelectorAll('.strip')].flatMap((strip) => {
  const texts = [...strip.querySelectorAll('text')]
    .map((it) => it.getBoundingClientRect()).filter((it) => it.width > 0);
  return texts.filter((it, n) => n && it.left < texts[n - 1].right && it.top === texts[n - 1].top)
    .map(() => strip.textContent);
})
"""
"""Numbers that lie over each other."""
_BOXES = "[...document.querySelectorAll('ol .strip > svg')].map((it) => it.getBoundingClientRect())"
_GRID = "document.querySelector('.grid').getBoundingClientRect()"


_LINES = """
[...document.querySelectorAll('#places-heading ~ .wide .whole')]
  .map((it) => it.getClientRects().length)
"""
"""Over how many lines each code of the table goes."""
_GAPS = """
(() => {
  const boxes = [...document.querySelectorAll('#places-heading ~ .wide tbody tr')].map((row) =>
    [...row.cells].map((cell) => {
      const text = document.createRange();
      text.selectNodeContents(cell);
      return text.getBoundingClientRect();
    }));
  const heads = [...document.querySelectorAll('#places-heading ~ .wide thead th')].map((it) => {
    const text = document.createRange();
    text.selectNodeContents(it);
    return text.getBoundingClientRect();
  });
  const all = [heads, ...boxes];
  return heads.slice(1).map((_, n) => Math.min(...all.map((row) => row[n + 1].left))
    - Math.max(...all.map((row) => row[n].right)));
})()
"""
"""How much is free between each column's text and the next one's."""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    paths = {}
    for name, found in _PLACES.items():
        paths[name] = folder / f"{name}.html"
        paths[name].write_text("".join(page_lines(found())), encoding="utf-8")
    return paths


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("name", _NAMES)
def test_it_loads_nothing_fits_and_the_browser_has_nothing_to_complain_of(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    chromium.open(pages[name], width=width)
    assert chromium.complaints() == []
    assert set(chromium.requests()) <= {pages[name].as_uri(), "data:,"}
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    assert chromium.ask(_CUT) == []
    assert chromium.ask(_OVER) == []


@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("name", _CHARTED)
def test_all_strips_lie_above_each_other_on_the_axis(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    chromium.open(pages[name], width=width)
    sides = {(it["left"], it["right"]) for it in chromium.ask(_BOXES)}
    grid = chromium.ask(_GRID)
    assert len(sides) == 1
    assert sides.pop() == pytest.approx((grid["left"], grid["right"]), abs=0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["usual", "silent"])
def test_all_text_can_be_read(
    chromium: Browser, pages: dict[str, Path], name: str, scheme: str
) -> None:
    chromium.open(pages[name], scheme=scheme)
    assert chromium.ask(_CONTRAST) >= 4.5


def test_dots_have_their_arm_s_colour_in_the_legend(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["four arms"])
    dots = "[...document.querySelectorAll('ol .strip:first-child .dots path')]"
    keys = "[...document.querySelectorAll('.key.shape-round')]"
    strokes = chromium.ask(f"{dots}.map((it) => getComputedStyle(it).stroke)")
    assert strokes == chromium.ask(f"{keys}.map((it) => getComputedStyle(it).backgroundColor)")
    assert len(set(strokes)) == 4


def test_a_dot_is_round_however_wide_the_page_is(chromium: Browser, pages: dict[str, Path]) -> None:
    effects = "getComputedStyle(document.querySelector('.dots path')).vectorEffect"
    chromium.open(pages["two"], width=1600)
    assert chromium.ask(effects) == "non-scaling-stroke"


def test_the_axis_stays_in_sight_while_a_hundred_places_scroll_by(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["hundred"])
    chromium.ask("document.querySelectorAll('ol .strip')[60].scrollIntoView({block: 'center'})")
    assert chromium.ask("document.querySelector('.scale').getBoundingClientRect().top") == 0


def test_the_table_of_a_usual_run_fits_beside_all_its_numbers(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    fits = "(it => it.scrollWidth <= it.clientWidth)(document.querySelector('.wide'))"
    for width in (768, 1000, 1400):
        chromium.open(pages["usual"], width=width)
        assert chromium.ask(fits) is True


def test_no_heading_is_broken_where_there_is_room(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["usual"], width=1400)
    rows = "[...document.querySelectorAll('.wide tr')].map((it) => it.clientHeight)"
    heights = chromium.ask(rows)
    assert max(heights) < 1.5 * min(heights)


@pytest.mark.parametrize("width", [800, 1000, 1400])
def test_columns_are_equally_far_apart_and_no_code_is_broken(
    chromium: Browser, pages: dict[str, Path], width: int
) -> None:
    chromium.open(pages["usual"], width=width)
    gaps = chromium.ask(_GAPS)
    assert min(gaps) >= 6
    assert max(gaps) <= 24
    assert {*chromium.ask(_LINES)} == {1}


def test_on_a_phone_the_numbers_of_all_places_are_below_each_other_and_large_enough(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["usual"], width=360)
    rows = chromium.ask(
        "[...document.querySelectorAll('#places-heading ~ .wide tbody tr:not(.bare)')]"
        ".map(row => [...row.cells].map(it => it.getBoundingClientRect().left))"
    )
    assert len(rows) == 3
    assert rows[0] == rows[1] == rows[2]
    assert len({*rows[0]}) == 3
    size = "parseFloat(getComputedStyle(document.querySelector('.wide td')).fontSize)"
    assert chromium.ask(size) >= 14


def test_on_a_phone_a_lost_place_is_its_name_and_that_it_is_lost(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["usual"], width=360)
    said = "document.querySelector('#places-heading ~ .wide tr.bare').innerText"
    assert chromium.ask(said).split() == ["sa", "lost"]


@pytest.mark.parametrize("width", [360, 1000])
def test_labels_of_arms_are_whole_beside_their_dots(
    chromium: Browser, pages: dict[str, Path], width: int
) -> None:
    chromium.open(pages["usual"], width=width)
    labels = "[...document.querySelectorAll('.medians .label')]"
    assert chromium.ask(f"{labels}.filter(it => it.scrollWidth > it.clientWidth).length") == 0
    middle = "map(it => it.getBoundingClientRect()).map(it => (it.top + it.bottom) / 2)"
    rows = chromium.ask(f"[...document.querySelectorAll('ol .median')].{middle}")
    middles = chromium.ask(f"{labels}.{middle}")
    assert middles == pytest.approx(rows, abs=3)


def test_a_hostile_name_shows_as_text(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["hostile"])
    assert chromium.driver.title == "GET https://api.example.com/search?a=1 from 3 places – kab"
    assert "<script>document.title='owned'</script>" in chromium.ask("document.body.innerText")
    assert chromium.count("img, script") == 0


def test_a_screen_reader_is_told_what_each_picture_shows(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["usual"])
    nodes = chromium.tell("Accessibility.getFullAXTree")["nodes"]
    said = [it["name"]["value"] for it in nodes if it.get("role", {}).get("value") == "image"]
    assert len(said) == 3
    assert said[0].startswith("Latencies in eu: pooled from 2.")
    headings = [it["name"]["value"] for it in nodes if it.get("role", {}).get("value") == "heading"]
    assert headings[1:] == [
        "Lost or incomplete places",
        "Places",
        "Latency distribution",
        "What differs between places",
    ]


def test_three_hundred_places_are_drawn_soon(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["three hundred"])
    assert chromium.count("ol .strip svg[role=img]") == 300
    assert chromium.ask("performance.getEntriesByType('navigation')[0].loadEventEnd") < 5_000


def test_printed_it_fits_on_paper(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["usual"], width=700)
    chromium.tell("Emulation.setEmulatedMedia", media="print")
    try:
        assert chromium.ask("document.documentElement.scrollWidth") <= 700
        assert chromium.ask("getComputedStyle(document.querySelector('.scale')).position") == (
            "static"
        )
    finally:
        chromium.tell("Emulation.setEmulatedMedia", media="")
