"""What the page's text holds; tests/page shows what a browser makes of it."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from math import log
from typing import TYPE_CHECKING

import pytest
from page.noisy import HOSTILE, noisy_run
from support.exports import written
from support.pages import PageText
from support.runs import CUT_OFF, REFUSED, Script
from support.scripted import scripted_run
from support.sweeps import scripted_sweep

from keepalive_bench import analyse
from keepalive_bench.report import run_tables
from keepalive_bench.report.preamble import nothing_measured
from keepalive_bench.results.exchange import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.reasons import Reason
    from keepalive_bench.results.run import Run

_LIMIT = 500_000
_FOUR = (
    ("pooled", "pooled"),
    ("unpooled", "unpooled"),
    ("again", "pooled"),
    ("a-label-of-thirty-two-characters", "unpooled"),
)
_PLACES = ("x", "width", "x1", "cx")


class Page(PageText):
    """The page of a run."""

    def __init__(self, run: Run) -> None:
        super().__init__(written("html", run))


def test_nothing_is_loaded_and_the_policy_names_every_script_and_style() -> None:
    page = Page(scripted_run())
    links = [attributes.get(name) for _, attributes in page.tags for name in ("src", "href")]
    assert set(links) <= {None, "data:,"}
    policy = next(
        str(attributes["content"])
        for _, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for text in (*page.raw["script"][1:], *page.raw["style"]):
        assert b64encode(sha256(text.encode()).digest()).decode() in policy
    assert not any(name in {"style", "onload", "onclick"} for _, it in page.tags for name in it)


def test_the_table_is_the_reports() -> None:
    run = scripted_run()
    page = Page(run)
    for row in run_tables.comparison_rows(analyse(run)):
        for cell in (row.name.strip(), *row.cells, *row.differences, *row.intervals):
            assert not cell or cell in page.texts
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table") >= 2
    assert all(it.get("scope") in {"col", "row"} for tag, it in page.tags if tag == "th")


def test_the_verdict_comes_first_and_headings_are_in_order() -> None:
    run = scripted_run()
    page = Page(run)
    text = "\n".join(page.texts)
    order = [
        "kab 0.1.0",
        "2026-01-02 03:04 UTC",
        analyse(run).verdict.text,
        "Findings",
        "Speed-up",
        "The life of the pool",
        "Latency distribution",
        "Latency over time",
        "Where the time goes",
        "Counts and times",
        "How it was measured",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    levels = [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels == ["h1"] + ["h2"] * (len(levels) - 1)
    assert page.tags[0] == ("html", {"lang": "en"})


def test_every_chart_has_words_for_who_cannot_see_it() -> None:
    page = Page(scripted_run())
    charts = [it for _, it in page.tags if it.get("class") == "chart"]
    assert [it["id"] for it in charts] == list(page.data)
    said = [str(it["aria-label"]) for it in charts]
    assert "pooled: 1 connection for 20 requests; unpooled: 20 connections for 20" in said[0]
    assert "pooled, 20 responses from 21.5 ms to 63.7 ms, half of them up to 21.5 ms" in said[1]
    assert "New connections: pooled 1 first-use; unpooled 19 by-design, 1 first-use" in said[2]


def test_what_was_missed_is_named_before_anything_else_but_the_verdict() -> None:
    run = noisy_run(50, per_connection=10)
    texts = ("failed==0", "reopened==0", *(f"reuse>={at}" for at in (1, 0.99, 0.98)))
    rule = replace(run.plan.decision_rule, requirements=texts)
    said = Page(run._replace(plan=replace(run.plan, decision_rule=rule))).texts
    top = said[: said.index("Findings")]
    assert "✗ 5 requirements: 4 missed, 1 met." in top
    assert [text for text in top if text in texts] == [*texts[1:], texts[0]]
    assert top[top.index("2 other requirements") + 2] == texts[4]


def test_an_interval_lies_beside_the_line_at_1_where_its_logarithm_says() -> None:
    page = Page(scripted_run())
    marks = [(tag, it) for tag, it in page.tags if it.get("class") in {"one", "band", "estimate"}]
    (_, band), (_, one), (_, estimate) = marks[:3]
    at = {
        key: float(str(it[key]).rstrip("%"))
        for it in (band, one, estimate)
        for key in _PLACES
        if key in it
    }
    begin, end, middle = at["x"], at["x"] + at["width"], at["x1"]
    per_log = (end - begin) / log(1.05**2)
    assert middle == pytest.approx((begin + end) / 2, abs=0.02)
    assert at["cx"] - middle == pytest.approx(per_log * log(63.7 / 21.5), rel=0.01)


def test_no_phase_has_the_colour_of_an_arm() -> None:
    style = "".join(Page(scripted_run()).raw["style"])
    for block in re.findall(r":root \{.*?\}", style, re.DOTALL):
        phases, arms = (set(re.findall(rf"--{of}-\d: (#\w+)", block)) for of in ("phase", "arm"))
        assert len(phases) == 9
        assert not phases & arms


def test_every_request_has_its_mark_where_there_are_few() -> None:
    run = noisy_run(300, per_connection=7)
    drawn = Page(run).data["timeline"]
    for arm, columns in zip(("pooled", "unpooled"), drawn["arms"], strict=True):
        rows = run.exchanges.rows(arm)
        began = _summed(columns["began"])
        assert began == [round(run.exchanges.began_s[row] * 1e6) for row in rows]
        assert columns["latency"] == [round(run.exchanges.latency_s[row] * 1e6) for row in rows]
        assert _summed(columns["index"]) == [run.exchanges.index[row] for row in rows]
        fates = [drawn["fates"][number].partition(";")[0] for number in columns["fate"]]
        assert len([fate for fate in fates if fate]) == len(run.connections.rows(arm))
    assert fates.count("by-design") == 299
    assert any("before it ended at" in fate for fate in drawn["fates"])


def test_a_run_with_more_kinds_of_failures_than_marks_has_a_page_nevertheless() -> None:
    kinds = 3_100
    script = Script("pooled", requests=kinds + 1)
    script.send("pooled", 0.01, on=script.open("pooled"))
    for number in range(kinds):
        script.fail("pooled", failure=Failure(f"kind-{number}", ""))
    (columns,) = Page(script.run()).data["timeline"]["arms"]
    assert sum(columns["requests"]) == kinds + 1


def test_what_was_cut_off_has_no_latency_to_draw_and_is_listed_as_no_failure() -> None:
    script = Script("pooled", requests=9)
    script.send("pooled", 0.01, on=script.open("pooled"))
    script.fail("pooled", failure=REFUSED)
    script.fail("pooled", failure=CUT_OFF)
    page = Page(script.run(interrupted=True))
    (columns,) = page.data["timeline"]["arms"]
    assert _summed(columns["index"]) == [0, 1]
    assert "1 request that failed, and why" in page.texts
    assert not any(CUT_OFF.message in text for text in (page.source, *page.texts))


def _summed(steps: list[int]) -> list[int]:
    return [sum(steps[: number + 1]) for number in range(len(steps))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arms", "per_connection", "failing"),
    [(_FOUR[:2], 10**9, 0.0), (_FOUR[:2], 2, 0.02), (_FOUR, 2, 0.02)],
    ids=["two arms", "two bad arms", "four bad arms"],
)
def test_ten_thousand_requests_of_each_arm_take_less_than_500_kb(
    arms: tuple[tuple[str, str], ...], per_connection: int, failing: float
) -> None:
    run = noisy_run(10_000, arms, per_connection=per_connection, failing=failing)
    page = Page(run)
    assert len(page.source.encode()) < _LIMIT
    drawn = page.data["timeline"]["arms"]
    assert sum(len(columns["fate"]) for columns in drawn) <= 3_000
    for columns in drawn:  # none is dropped: a mark says how many requests it stands for
        assert sum(columns["requests"]) == 10_000
    assert "share one, which says how many they are" in page.source


def _reasons(run: Run) -> Iterator[Reason]:
    reasons = analyse(run).arms[0].reasons
    return (reasons[row] for row in reasons)


def test_lanes_are_as_long_as_the_connections_were_used() -> None:
    run = noisy_run(300, per_connection=7)
    pooled, unpooled = Page(run).data["pool"]["arms"]
    assert len(pooled["lanes"]) == 43
    first = pooled["lanes"][0]
    then = next(it for it in _reasons(run) if it.previous == 0)
    assert first["label"] == f"7 responses, then {then.code}"
    rows = [row for row in range(len(run.exchanges)) if run.exchanges.connection[row] == 0]
    assert len(first["used"]) == 2 * len(rows) == 14
    began = [round(run.exchanges.began_s[row] * 1e6) for row in rows]
    assert first["used"][::2] == began
    assert first["opening"][0] == began[0]
    opening_s = sum(run.exchanges.phases[name][rows[0]] for name in ("connect", "tls"))
    assert first["opening"][1] == pytest.approx(began[0] + opening_s * 1e6, abs=2)
    assert first["ending"] == "fin"
    assert first["end"] == round((run.connections[0].ended_s or 0) * 1e6)
    # What carries one request each is one band: how many there are, on average over each step.
    others, phases = run.exchanges.rows("unpooled"), run.exchanges.phases
    opening_s = sum(phases[name][row] for name in ("connect", "tls") for row in others)
    step_s = unpooled["shown"][1] / 1e6 / len(unpooled["band"]["opening"])
    assert sum(unpooled["band"]["opening"]) * step_s == pytest.approx(opening_s, rel=0.01)
    latencies_s = sum(run.exchanges.latency_s[row] for row in others)
    in_use = sum(unpooled["band"]["used"]) * step_s
    assert in_use == pytest.approx(latencies_s - opening_s, rel=0.01)


def test_pauses_that_cannot_be_seen_are_closed_and_that_is_said() -> None:
    page = Page(noisy_run(10_000))
    (lane,) = page.data["pool"]["arms"][0]["lanes"]
    assert len(lane["used"]) < 2_500
    assert "are too short to be seen here" in page.source
    assert "Connections of unpooled (the first 30 of 10,000)" in page.texts


def test_text_from_outside_stays_text() -> None:
    page = Page(noisy_run(60, per_connection=7, failing=0.2, keep_alive=HOSTILE))
    assert "<img" not in page.source
    assert page.source.count("</script>") == 3
    assert "\u2028" not in page.source
    assert any("<script>document.title='owned'</script>" in text for text in page.texts)
    assert [tag for tag, _ in page.tags].count("script") == 3


def test_secrets_are_not_in_the_page() -> None:
    assert "s3kr1t" not in Page(scripted_run()).source


def _nothing_ended() -> Run:
    script = Script("pooled", requests=3)
    script.open("pooled")
    script.fail("pooled", failure=CUT_OFF)
    return script.run(interrupted=True)


@pytest.mark.parametrize(
    "run",
    [
        noisy_run(1),
        noisy_run(50, _FOUR[:1]),
        noisy_run(50, _FOUR),
        noisy_run(60, failing=1.0),
        noisy_run(50, interrupted=True),
        Script("pooled", requests=3).run(interrupted=True),
        _nothing_ended(),
    ],
    ids=[
        *("one request", "one arm", "four arms", "all failed", "interrupted", "nothing sent"),
        "nothing ended",
    ],
)
def test_every_run_has_a_page(run: Run) -> None:
    page = Page(run)
    analysis = analyse(run)
    said = analysis.verdict.text if analysis.has_answers else nothing_measured(analysis)
    assert said in page.texts
    assert len(page.source.encode()) < _LIMIT


def test_how_it_was_measured_names_the_command_the_seed_and_the_versions() -> None:
    text = Page(noisy_run(50)).texts
    assert "kab run 'https://api.example.com/search?a=1' --requests 50 --seed 7" in text
    assert "kab 0.1.0, urllib3 2.8.0, cpython 3.12.1, OpenSSL 3.0.0" in text


def test_a_sweep_has_its_curve_and_its_table() -> None:
    page = written("html", scripted_sweep(1, 2, 4, 8))
    assert "What each value does" in page
    assert "maxsize 1: 37 connections, 36 discarded, median 2.00 ms" in page
    assert "kab sweep http://127.0.0.1:8000/ --maxsize 1,2,4,8 --concurrency 4 --traffic" in page
