"""What the page of several places holds; tests/page shows what a browser makes of it."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from math import log
from typing import TYPE_CHECKING

import pytest
from support.pages import PageText
from support.scripted_places import ARMS, HOSTILE, WHY, far_run, many, places, silent_run

from keepalive_bench import benchmark
from keepalive_bench.cli.exports import OF_PLACES
from keepalive_bench.places.report import words
from keepalive_bench.plan.plan import Experiment, Plan, Target
from keepalive_bench.server import Behaviour, Server, ServerSettings
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from keepalive_bench.places.report import Places
    from keepalive_bench.results.run import Run

_FAR_APART = {"far": far_run(0.2), "near": far_run(0.002)}
_AS_FAR = {"one": far_run(0.01, tls=False), "other": far_run(0.02, tls=False)}


def _page(found: Places) -> PageText:
    """The page that `kab places` and `kab run --dask` write."""
    (html,) = (it for it in OF_PLACES if it.name == "html")
    return PageText("".join(html.lines(found)))


def _strips(page: PageText) -> list[list[tuple[str, dict[str, str | None]]]]:
    """The elements of each place's strip."""
    found: list[list[tuple[str, dict[str, str | None]]]] = []
    for tag, attributes in page.tags:
        if attributes.get("class") == "strip":
            found.append([])
        if attributes.get("id") == "differences-heading":
            break
        if found:
            found[-1].append((tag, attributes))
    return found


def _shares(strip: list[tuple[str, dict[str, str | None]]], style: str) -> list[float]:
    """How far from the left the lines of one kind are, in percent."""
    lines = (it for tag, it in strip if tag == "line" and it.get("class") == style)
    return [float(str(it["x1"]).rstrip("%")) for it in lines]


def _names(page: PageText, found: Places) -> list[str]:
    """The places in the order of their strips."""
    below = page.texts[page.texts.index("Latency distribution") :]
    return [it for it in below if it in {place.name for place in found.places}]


def test_nothing_is_loaded_or_run_and_the_policy_names_the_style() -> None:
    page = _page(places(_FAR_APART))
    links = [attributes.get(name) for _, attributes in page.tags for name in ("src", "href")]
    assert set(links) <= {None, "data:,"}
    assert not page.raw["script"]
    assert "script-src 'none'" in page.source
    (style,) = page.raw["style"]
    assert b64encode(sha256(style.encode()).digest()).decode() in page.source
    assert not any(name in {"style", "onload", "onclick"} for _, it in page.tags for name in it)


def test_the_sentence_comes_first_and_the_small_print_below_the_table() -> None:
    found = places(_FAR_APART, "gone", required=["pooled.p95<=50ms"])
    text = "\n".join(_page(found).texts)
    order = [
        "GET https://api.example.com/search?a=1 from 3 places",  # the window's title
        "2026-01-02 03:04 UTC",
        found.sentence,
        "✗ 1 requirement: 1 missed",
        f"gone is lost. {WHY}",
        "in round trips",
        words.SMALL_PRINT,
        "Latency distribution",
    ]
    positions = [text.index(it) for it in order]
    assert positions == sorted(positions)


def test_the_table_has_the_words_of_every_other_report() -> None:
    found = places(_FAR_APART, "gone")
    page = _page(found)
    for row in words.place_table(found).rows:
        assert not {*filter(None, row)} - {*page.texts}


def test_what_differs_is_told() -> None:
    page = _page(places({"a": far_run(0.01), "b": far_run(0.01, server="envoy")}))
    assert "server: nginx only in a; envoy only in b" in page.texts


def test_every_place_has_its_strip_the_nearest_first() -> None:
    found = places({f"{trip} ms": far_run(trip / 1e3) for trip in (30, 2, 200, 9)})
    page = _page(found)
    assert len(_strips(page)) == 4
    assert _names(page, found) == ["2 ms", "9 ms", "30 ms", "200 ms"]


@pytest.mark.parametrize("runs", [_FAR_APART, _AS_FAR])
def test_all_places_share_one_axis(runs: dict[str, Run]) -> None:
    """Where a median lies follows from its time alone, by the numbers on the axis."""
    found = places(runs)
    page = _page(found)
    numbers = [it for tag, it in page.tags if tag == "text" and it.get("y") == "14"]
    at = page.texts.index("latency, ms")
    ticks = {
        float(page.texts[at + 1 + place].replace(",", "")): float(str(it["x"]).rstrip("%"))
        for place, it in enumerate(numbers)
    }
    (low, left), *_, (high, right) = sorted(ticks.items())

    def share(milliseconds: float) -> float:
        if low == 0:
            return left + milliseconds / high * (right - left)
        return left + log(milliseconds / low) / log(high / low) * (right - left)

    assert len(ticks) > 3
    assert all(share(tick) == pytest.approx(at, abs=0.02) for tick, at in ticks.items())
    for place, strip in zip(found.places, _strips(page), strict=True):
        medians = [share(1e3 * (arm.latency_s or 0.0)) for arm in place.arms]
        assert _shares(strip, "median") == pytest.approx(medians, abs=0.02)


@pytest.mark.parametrize("trip_s", [0.0011, 0.0023, 0.0049, 0.0099])
def test_a_logarithmic_axis_begins_with_a_number_that_no_dot_is_left_of(trip_s: float) -> None:
    page = _page(places({"near": far_run(trip_s), "far": far_run(1.0)}))
    assert "Each dot is a response. Logarithmic scale." in page.texts
    (first, *_) = (it for tag, it in page.tags if tag == "text" and it.get("y") == "14")
    left = float(str(first["x"]).rstrip("%"))
    dots = [
        int(x)
        for tag, it in page.tags
        if tag == "path"
        for x in re.findall(r"M(\d+) ", str(it["d"]))
    ]
    trips = [share for strip in _strips(page) for share in _shares(strip, "trip")]
    assert 0 < left <= min(*(x / 10 + 0.05 for x in dots), *(share + 0.01 for share in trips))
    assert left < 5


def test_each_row_of_dots_has_its_arm_s_name_and_median_beside_it() -> None:
    found = places(_FAR_APART)
    page = _page(found)
    below = page.texts[page.texts.index("Latency distribution") :]
    for place in found.places:
        said = [text for arm in place.arms for text in (arm.label, duration(arm.latency_s))]
        at = below.index(said[1])
        assert below[at - 1 : at + 3] == said


def test_places_that_are_far_apart_are_both_readable() -> None:
    near, far = (_shares(it, "median") for it in _strips(_page(places(_FAR_APART))))
    assert near[1] - near[0] > 5
    assert far[1] - far[0] > 5


@pytest.mark.parametrize(("tls", "trips"), [(False, 2), (True, 3)])
def test_the_round_trips_of_a_place_are_drawn_up_to_its_slowest_median(
    tls: bool,  # noqa: FBT001  # pytest's parameters
    trips: int,
) -> None:
    for strip in _strips(_page(places({"a": far_run(0.02, tls=tls), "b": far_run(0.08, tls=tls)}))):
        assert len(_shares(strip, "trip")) == trips


def test_round_trips_that_take_no_time_beside_the_server_are_not_drawn() -> None:
    page = _page(places({"here": far_run(0.001, server_s=0.2)}))
    assert "trip" not in {attributes.get("class") for _, attributes in page.tags}


def test_each_picture_says_in_words_what_it_shows() -> None:
    found = places({**_FAR_APART, "mute": silent_run()})
    page = _page(found)
    pictures = [it for _, it in page.tags if it.get("role") == "img"]
    titles = [it for it in page.texts if it.startswith("Latencies in ")]
    assert len(pictures) == len(titles) == 3
    assert "pooled from 2." in titles[0]
    assert titles[2] == "Latencies in mute: pooled has no response; unpooled has no response."


def test_text_from_outside_stays_text() -> None:
    page = _page(
        places({"near": far_run(0.01), HOSTILE: far_run(0.02, server=HOSTILE)}, HOSTILE[1:])
    )
    assert "img" not in {tag for tag, _ in page.tags}
    assert not page.raw["script"]
    assert all(char.isprintable() or char == "\n" for char in page.source)
    assert "\\u202e" in page.source


def test_a_place_where_nothing_answered_has_a_strip_that_says_so() -> None:
    found = places({"mute": silent_run(), "near": far_run(0.01)})
    page = _page(found)
    assert _names(page, found) == ["near", "mute"]
    assert "nothing was answered" in page.texts


@pytest.mark.parametrize("runs", [{}, {"mute": silent_run()}])
def test_without_any_response_there_is_no_chart(runs: dict[str, Run]) -> None:
    page = _page(places(runs, "gone"))
    assert f"gone is lost. {WHY}" in page.texts
    assert "svg" not in {tag for tag, _ in page.tags}


def test_each_lost_place_is_named_with_its_reason_the_first_few_at_once() -> None:
    names = [f"gone-{number}" for number in range(30)]
    page = _page(places(_FAR_APART, *names))
    assert all(f"{name} is lost. {WHY}" in page.texts for name in names)
    assert "22 more" in page.texts


def test_what_is_slower_than_the_axis_is_told() -> None:
    run = far_run(0.02, requests=40)
    run.exchanges.latency_s[-1] = 9.0
    found = places({"here": run, "there": far_run(0.02)})
    page = _page(found)
    assert any("right edge: up to 9.00 s." in it for it in page.texts)


@pytest.mark.parametrize("count", [1, 2, 4, 12, 100, 300])
def test_the_file_grows_by_no_more_than_what_is_shown(count: int) -> None:
    page = _page(many(count, requests=400))
    assert len(_strips(page)) == count
    assert len(page.source) < 20_000 + min(6_000 * count, 1_200_000)
    assert "that many stand for all." in page.source


def test_every_label_has_one_entry_in_the_legend() -> None:
    four = (*ARMS, ("again", "pooled"), ("x", "unpooled"))
    page = _page(places({"near": far_run(0.01, arms=four), "far": far_run(0.02, arms=four)}))
    keys = [str(it.get("class")) for _, it in page.tags if str(it.get("class")).startswith("key ")]
    assert keys == [
        *(f"key arm-{number} shape-round" for number in range(4)),
        "key shape-line",
        "key shape-trip",
    ]


def test_what_the_page_counts_is_what_the_servers_counted() -> None:
    runs, accepts, requests = {}, 0, 0
    for name, requests_each in (("few", 5), ("more", 9)):
        with Server(ServerSettings(behaviour=Behaviour(close_after=3))) as server:
            experiment = Experiment(requests=requests_each, warmup=0)
            runs[name] = benchmark(Plan(Target(server.url), experiment=experiment))
            stats = server.stop()
        accepts, requests = accepts + stats.accepts, requests + stats.requests
    page = _page(places(runs))
    assert any(
        it.startswith(f"2 places sent {requests} requests over {accepts} connections")
        for it in page.texts
    )
    dots = [str(it["d"]).count("M") for tag, it in page.tags if tag == "path"]
    assert len(dots) == 4
    assert 4 <= sum(dots) <= requests  # those that lie on each other are one
