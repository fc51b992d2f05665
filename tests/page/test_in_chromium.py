"""The page in a real browser: it opens from disk, draws, answers the pointer, and asks nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from page.browser import Browser, browser
from page.noisy import HOSTILE, noisy_run
from support.exports import written
from support.sweeps import scripted_sweep

from keepalive_bench import analyse
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Source
from keepalive_bench.compare.report import page_lines as comparison_lines
from keepalive_bench.plan.document import plan_document
from keepalive_bench.report.histogram import histogram, latencies_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from keepalive_bench.results.run import Run

pytestmark = pytest.mark.slow

_FOUR = (*(("pooled", "pooled"), ("unpooled", "unpooled")), ("again", "pooled"), ("x", "unpooled"))
_RUNS: dict[str, Callable[[], Run]] = {
    "good": lambda: noisy_run(50),
    "bad": lambda: noisy_run(300, per_connection=7, failing=0.05, keep_alive=HOSTILE),
    "large": lambda: noisy_run(10_000, per_connection=2),
    "four": lambda: noisy_run(40, _FOUR, interrupted=True),
    "failed": lambda: noisy_run(10, failing=1.0),
    "sweep": lambda: scripted_sweep(1, 2, 4, 8),
    "single": lambda: noisy_run(1),
}
_NAMES = sorted(_RUNS)
_WHY = re.compile(r"idle-timeout; connection \d+ before it ended at .* s: found closed")
_CONTRAST = """
(() => {
  const linear = (part) =>
    part <= 10.31475 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).map(Number).map(linear);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" ? behind(node.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll("main *")].filter((node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
  return Math.min(...texts.map((node) => {
    const paint = getComputedStyle(node);
    const own = luminance(node.ownerSVGElement ? paint.fill : paint.color);
    const paper = luminance(behind(node.ownerSVGElement?.parentElement ?? node));
    return (Math.max(own, paper) + 0.05) / (Math.min(own, paper) + 0.05);
  }));
})()
"""
"""The lowest contrast of any text, by the formula of WCAG 2.2."""
_CUT = """
[...document.querySelectorAll('.chart text, .forest text')].filter((text) => {
  const own = text.getBoundingClientRect();
  const place = text.closest('.chart, .forest').getBoundingClientRect();
  return own.left < place.left - 1 || own.right > place.right + 1;
}).map((text) => text.textContent)
"""
"""What stands outside of its picture."""
_WIDER = "[...document.querySelectorAll('.wide')].filter((it) => it.scrollWidth > it.clientWidth)"
"""The tables that have to be scrolled."""
_BROKEN = """
[...document.querySelectorAll('.whole, .numbers td:not(:empty)')].filter((it) => {
  const text = document.createRange();
  text.selectNodeContents(it);
  const tops = [...text.getClientRects()].map((line) => Math.round(line.top));
  return new Set(tops).size > 1;
}).map((it) => it.textContent)
"""
"""Numbers and options that a line ends in the middle of."""


_USED = "%s [aria-label=bar] rect"
_KEY = "document.querySelector('section[aria-labelledby=pool-heading] .key.arm-%d')"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {name: make() for name, make in _RUNS.items()}


@pytest.fixture(scope="module")
def pages(runs: dict[str, Run], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {name: folder / f"{name}.html" for name in runs}
    for name, path in made.items():
        path.write_text(written("html", runs[name]), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", _NAMES)
def test_it_opens_from_disk_without_a_complaint_or_a_request_and_fits_a_phone(
    name: str, shown: Browser, pages: dict[str, Path]
) -> None:
    shown.open(pages[name])
    assert shown.count("[role=img] :is(h1, h2, h3, h4, a, button, [tabindex])") == 0
    assert shown.ask(_CUT) == []
    assert shown.ask(f"{_WIDER}.length") == (name == "four")  # whose comparisons are three
    for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")):
        shown.in_scheme(scheme)
        assert shown.ask("getComputedStyle(document.body).backgroundColor") == paper
        assert shown.ask(_CONTRAST) >= 4.5
    shown.resize(375)
    shown.ask("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
    assert shown.ask("document.documentElement.scrollWidth") <= 375
    assert shown.ask(f"{_WIDER}.length") == 0
    assert shown.ask(_CUT) == []
    assert shown.ask(_BROKEN) == []
    assert shown.complaints() == []
    assert set(shown.requests()) <= {pages[name].as_uri(), "data:,"}


def test_every_request_connection_and_phase_is_drawn(
    shown: Browser, pages: dict[str, Path], runs: dict[str, Run]
) -> None:
    shown.open(pages["good"])
    run = runs["good"]
    assert shown.count("#timeline [aria-label=dot] :is(circle, path)") == 100
    assert shown.count("#timeline [aria-label=dot] path") == len(run.connections) == 51
    assert shown.count("#pool svg:nth-of-type(1) [aria-label=rule] line") == 1
    # Each of the unpooled ones has one request: a band of one in use at a time, whatever happens.
    assert shown.count("#pool svg:nth-of-type(2) [aria-label=rule] line") == 1
    assert shown.count("#pool svg:nth-of-type(2) [aria-label=rect] rect") > 100
    assert shown.count("#pool svg") == 2
    # connect, TLS, send, wait, receive and the client's own
    assert shown.count("#stack [aria-label=bar] rect") == 2 * 6
    drawn = histogram(latencies_of(run), 60, from_zero=True)
    assert drawn is not None
    filled = sum(bool(count) for counts in drawn.counts.values() for count in counts)
    assert shown.count("#spread [aria-label=rect] rect") == filled > 10


def test_lanes_have_their_arm_s_colour_and_one_axis(shown: Browser, pages: dict[str, Path]) -> None:
    shown.open(pages["sweep"])
    ticks, fills = set(), []
    for number in range(1, 5):
        chart = f"#pool svg:nth-of-type({number})"
        fills.append(shown.ask(f"getComputedStyle(document.querySelector('{_USED % chart}')).fill"))
        labels = (
            f"[...document.querySelectorAll('{chart} [aria-label=\"x-axis tick label\"] text')]"
        )
        ticks.add(tuple(shown.ask(f"{labels}.map((it) => it.textContent)")))
    keys = [shown.ask(f"getComputedStyle({_KEY % number}).backgroundColor") for number in range(4)]
    assert fills == keys
    assert len(set(fills)) == 4
    assert len(ticks) == 1


def test_ten_thousand_requests_do_not_drown_the_browser(
    shown: Browser, pages: dict[str, Path]
) -> None:
    shown.open(pages["large"])
    assert shown.count("svg *") < 8_000
    assert shown.ask("performance.getEntriesByType('navigation')[0].loadEventEnd") < 5_000


@pytest.mark.parametrize("width", [1000, 360])
def test_pointing_at_a_new_connection_says_why_it_was_opened(
    width: int, shown: Browser, pages: dict[str, Path]
) -> None:
    shown.open(pages["bad"], width=width)
    shown.point_at("#timeline [aria-label=dot] path", 1)
    said = _tip(shown, "timeline")
    assert "newly opened" in said
    assert _WHY.search(said)
    assert shown.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("chart", "mark", "aside", "expected"),
    [
        ("stack", "bar", 15, r"pooled: connect .* ms a request \d\d × .* ms"),
        ("pool", "rule", 300, r"connection: 0 .* responses: 7 .* found closed"),
    ],
)
def test_pointing_at_any_chart_tells_its_numbers(
    chart: str, mark: str, aside: int, expected: str, shown: Browser, pages: dict[str, Path]
) -> None:
    shown.open(pages["bad"])
    shown.point_at(f"#{chart} [aria-label={mark}] :is(rect, line)", aside=aside)
    assert re.search(expected, _tip(shown, chart))


def test_pointing_at_a_bar_tells_the_numbers_of_that_bar_in_all_arms(
    shown: Browser, pages: dict[str, Path], runs: dict[str, Run]
) -> None:
    latencies = latencies_of(runs["four"])
    drawn = histogram(latencies, 60, from_zero=True)
    assert drawn is not None
    shown.open(pages["four"])
    filled = [bin_ for counts in drawn.counts.values() for bin_, it in enumerate(counts) if it]
    assert shown.count("#spread [aria-label=rect] rect") == len(filled) > 10
    for number, bin_ in [*enumerate(filled)][::4]:
        shown.point_at("#spread [aria-label=rect] rect", number)
        said = _tip(shown, "spread")
        ends = [float(it) for it in re.findall(r"([\d.]+) ms", said)]
        wanted = [1e3 * edge for edge in drawn.edges_s[bin_ : bin_ + 2]]
        assert ends == pytest.approx(wanted, rel=0.005)
        for label, counts in drawn.counts.items():
            assert f" {label}: {counts[bin_]} of {len(latencies[label])}" in said


def test_pointing_anywhere_over_a_value_of_a_sweep_tells_the_numbers_of_that_value(
    shown: Browser, pages: dict[str, Path]
) -> None:
    shown.open(pages["sweep"])
    for chart in (f"#curve svg:nth-of-type({number})" for number in (1, 2)):
        middle = _middle(shown, chart)
        for number, value in enumerate((1, 2, 4, 8)):
            aside = _middle(shown, f"{chart} [aria-label=dot] circle", number) - middle
            shown.point_at(chart, aside=round(aside), up=40 if number % 2 else -40)
            assert _tip(shown, "curve").startswith(f"maxsize {value}: ")


def _middle(shown: Browser, selector: str, number: int = 0) -> float:
    """How far from the left the middle of an element is."""
    box = shown.ask(f"document.querySelectorAll('{selector}')[{number}].getBoundingClientRect()")
    return float(box["left"] + box["width"] / 2)


def _tip(shown: Browser, chart: str) -> str:
    """The text of the tip in a chart, once it's there."""
    said: str = shown.driver.execute_async_script(
        "const [chart, done] = arguments;"
        "const look = () => {"
        "  const lines = [...document.querySelectorAll(`#${chart} [aria-label=tip] tspan`)];"
        "  if (lines.length) done(lines.map((line) => line.textContent).join(' '));"
        "  else requestAnimationFrame(look);"
        "}; look();",
        chart,
    )
    return " ".join(said.replace("\u200b", "").split())


def test_a_hostile_header_shows_as_text(shown: Browser, pages: dict[str, Path]) -> None:
    shown.open(pages["bad"])
    assert shown.driver.title == "GET https://api.example.com/search?a=1 – kab"
    assert "<script>document.title='owned'</script>" in shown.ask("document.body.innerText")
    assert shown.count("img, main script") == 0


def test_the_list_of_new_connections_is_reached_and_opened_with_the_keyboard(
    shown: Browser, pages: dict[str, Path]
) -> None:
    shown.open(pages["bad"])
    for _ in range(4):  # further findings, and the connections of each arm, come first
        _next_summary(shown)
    outline = shown.ask("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    shown.press("ENTER")
    listed = shown.ask("document.activeElement.parentElement.innerText")
    assert "that had to be opened, and why" in listed
    assert _WHY.search(listed)
    _next_summary(shown)
    shown.press("ENTER")
    listed = shown.ask("document.activeElement.parentElement.innerText")
    assert listed.startswith("35 requests that failed, and why")
    assert "reset: Connection reset by peer <script>" in listed


def _next_summary(shown: Browser) -> None:
    """Go on with the keyboard until something that opens is reached."""
    for _ in range(20):
        shown.press("TAB")
        if shown.ask("document.activeElement.tagName") == "SUMMARY":
            return


def test_the_page_of_a_comparison_opens_alike(
    shown: Browser, runs: dict[str, Run], tmp_path: Path
) -> None:
    sources = [
        Source(name, runs[name], analyse(runs[name]), plan_document(runs[name].plan))
        for name in ("good", "bad", "failed")
    ]
    texts = ("p50.change<=1%", "reopened.change<=0", "p99.change<=1%")
    changes = [compare_runs(sources[:1], it, texts, forced=True) for it in sources[1:]]
    page = tmp_path / "compared.html"
    page.write_text("".join(comparison_lines(changes)), encoding="utf-8")
    shown.open(page)
    assert shown.count("h1") == 2
    for scheme in ("light", "dark"):
        shown.in_scheme(scheme)
        assert shown.ask(_CONTRAST) >= 4.5
    for width in (1000, 375):
        shown.resize(width)
        assert shown.ask("document.documentElement.scrollWidth") <= width
        assert shown.ask(f"{_WIDER}.length") == 0
    assert shown.complaints() == []
    assert set(shown.requests()) <= {page.as_uri(), "data:,"}
