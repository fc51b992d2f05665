"""What the page of a probe holds; tests/page shows what a browser makes of it."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from support.pages import PageText
from support.probes import report_on, worlds

from keepalive_bench.cli.exports import OF_PROBE
from keepalive_bench.probe.report import words
from keepalive_bench.probe.report.timeline import timeline

if TYPE_CHECKING:
    from keepalive_bench.probe.probed import Probed

every_world = pytest.mark.parametrize("probed", worlds().values(), ids=worlds())


def page(probed: Probed, *required: str) -> PageText:
    """The page that `kab probe` writes."""
    (html,) = (it for it in OF_PROBE if it.name == "html")
    return PageText("".join(html.lines(report_on(probed, *required))))


@every_world
def test_nothing_is_loaded_or_run_and_the_policy_names_the_style(probed: Probed) -> None:
    found = page(probed)
    links = [attributes.get(name) for _, attributes in found.tags for name in ("src", "href")]
    assert set(links) <= {None, "data:,"}
    assert not found.raw["script"]
    assert "script-src 'none'" in found.source
    (style,) = found.raw["style"]
    assert b64encode(sha256(style.encode()).digest()).decode() in found.source
    assert not any(name in {"style", "onload", "onclick"} for _, it in found.tags for name in it)


@every_world
def test_text_from_outside_stays_text(probed: Probed) -> None:
    found = page(probed, "idle_timeout>=60s")
    assert "img" not in {tag for tag, _ in found.tags}
    assert all(char.isprintable() or char == "\n" for char in found.source)


def test_the_answer_comes_first_and_what_to_set_below_what_was_found() -> None:
    probed = worlds()["everything"]
    text = "\n".join(page(probed, "idle_timeout>=80s").texts)
    order = [
        "How http://api.example.com/ keeps connections",  # the window's title
        "2026-01-02 03:04 UTC",
        probed.sentence,
        "✗ 1 requirement: 1 missed",
        "Consistent with nginx's default (75 s).",
        words.FOUND,
        words.SET,
        words.KEEPS,
        f"\n{words.SENT}\n",
    ]
    positions = [text.index(it) for it in order]
    assert positions == sorted(positions)


@every_world
def test_every_mark_and_band_of_the_time_line_is_drawn(probed: Probed) -> None:
    picture = timeline(probed)
    styles = [str(it.get("class")) for tag, it in page(probed).tags if tag in {"path", "rect"}]
    marks = [] if picture is None else [mark for lane in picture.lanes for mark in lane.marks]
    bands = () if picture is None else picture.bands
    drawn = [*(f"sign-{it.sign}" for it in marks), *(f"band-{it.kind}" for it in bands)]
    assert sorted(styles) == sorted(drawn)


def test_a_mark_stands_where_the_layout_has_it() -> None:
    picture = timeline(worlds()["well"])
    assert picture is not None
    inner = [it for tag, it in page(worlds()["well"]).tags if tag == "svg" and "x" in it]
    places = sorted(float(str(it["x"]).rstrip("%")) for it in inner)
    marks = sorted(100 * mark.at for lane in picture.lanes for mark in lane.marks)
    assert places == pytest.approx(marks, abs=0.001)


def test_each_lane_says_in_words_what_it_shows() -> None:
    found = page(worlds()["silent drop"])
    said = "".join(found.texts)
    for words_of_it in ("watched × 5", "3 answered, up to ", "5 died after ", "lost on the path"):
        assert words_of_it in said


def test_the_table_has_the_words_of_every_other_report() -> None:
    probed = worlds()["everything"]
    found = page(probed)
    for row in words.found_table(probed).rows:
        assert not {it.strip() for it in row if it} - {it.strip() for it in found.texts}


def test_the_code_is_there_line_by_line() -> None:
    probed = worlds()["silent drop"]
    assert probed.code in page(probed).source.replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.parametrize("world", ["closed", "refused"])
def test_without_an_idle_connection_there_is_no_chart(world: str) -> None:
    assert "svg" not in {tag for tag, _ in page(worlds()[world]).tags}
