"""How far a measurement is, by a clock that a test winds: no one sleeps here."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from keepalive_bench import Arm, Experiment, Plan, Target
from keepalive_bench.report.preamble import planned
from keepalive_bench.report.progress import Standing, progress_lines
from keepalive_bench.report.progress_bar import progress_bar
from keepalive_bench.results.exchange import Exchange, Failure, Outcome

TARGET = Target("http://a.test/")


def ended(
    arm: str = "pooled", latency_s: float = 0.02, began_s: float = 0.0, failed: str = ""
) -> Exchange:
    failure = Failure(failed, "") if failed else None
    return Exchange(arm, 0, 0, Outcome(began_s, latency_s, failure=failure))


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def standing(experiment: Experiment, *exchanges: Exchange) -> Standing:
    found = Standing(experiment)
    for exchange in exchanges:
        found.count(exchange)
    return found


def test_there_is_a_line_every_ten_seconds_and_no_other() -> None:
    said: list[str] = []
    clock = Clock()
    progress = progress_lines(Experiment(requests=50), said.append, clock)
    for number in range(100):  # four a second
        clock.now_s += 0.25
        progress(ended(failed="timeout" if number in {1, 3, 50} else ""))
        assert progress.look() >= 1.0
    assert said == ["40 of 100 · 2 failed", "80 of 100 · 3 failed"]


def test_slow_requests_delay_no_line() -> None:
    said: list[str] = []
    clock = Clock()
    progress = progress_lines(Experiment(requests=50), said.append, clock)
    assert progress.look() == 10.0
    clock.now_s += 9.5
    progress(ended())
    clock.now_s += 0.5
    assert progress.look() == 0.5  # the next one may be a quick one
    assert said == []
    clock.now_s += 0.5
    assert progress.look() == 10.0
    assert said == ["1 of 100"]
    clock.now_s += 1
    progress(ended())  # a line was there a second ago
    clock.now_s += 9
    progress.look()
    assert said == ["1 of 100", "2 of 100"]


def test_nothing_for_ten_seconds_is_said_by_whoever_looks() -> None:
    said: list[str] = []
    clock = Clock()
    progress = progress_lines(Experiment(requests=50), said.append, clock)
    for _ in range(2):
        clock.now_s += 10
        assert progress.look() == 10.0
    assert said == [f"0 of 100 · nothing measured for {silent_s} s" for silent_s in (10, 20)]


@pytest.mark.parametrize(
    ("experiment", "extent", "share"),
    [
        (Experiment(requests=50), "2 of 100 · 1 failed", 0.02),
        (Experiment(duration_s=30.0), "12 s of 30 s · 2 requests · 1 failed", 0.4),
        (
            Experiment(requests=50, duration_s=30.0),
            "12 s of 30 s · 2 of at most 100 · 1 failed",
            0.4,
        ),
        (Experiment(requests=2, duration_s=30.0), "12 s of 30 s · 2 of at most 4 · 1 failed", 0.5),
        (Experiment(precision=0.02), "2 of at most 20,000 · 1 failed", None),
        (Experiment(requests=1500), "2 of 3,000 · 1 failed", 2 / 3000),
    ],
)
def test_it_says_what_is_known_of_how_far_it_is(
    experiment: Experiment, extent: str, share: float | None
) -> None:
    found = standing(experiment, ended(), ended(began_s=11.5, latency_s=0.5, failed="timeout"))
    assert (found.extent, found.share) == (extent, share)


def test_the_means_are_of_what_succeeded_in_each_arm() -> None:
    found = standing(
        Experiment(arms=(Arm("pooled"), Arm("unpooled"), Arm("naive"))),
        ended("pooled", 0.020),
        ended("pooled", 0.023),
        ended("pooled", 9.0, failed="timeout"),
        ended("unpooled", 0.0636),
    )
    assert found.means == "pooled: 21.5 ms · unpooled: 63.6 ms"


def test_the_pace_is_that_of_the_run_itself() -> None:
    found = standing(Experiment(requests=50), *[ended(began_s=1.5, latency_s=0.5)] * 25)
    assert found.pace == "12.5/s · 6 s left"
    assert standing(Experiment(requests=50)).pace == ""


def test_what_kab_cut_off_itself_is_no_failure() -> None:
    assert standing(Experiment(requests=50), ended(failed="interrupted")).extent == "0 of 100"


def test_the_bar_shows_what_is_asked_and_what_is_measured_so_far() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, color_system=None)
    plan = Plan(TARGET, experiment=Experiment(requests=50))
    with progress_bar(console, plan, Clock()) as bar:
        for arm, latency_s in (("pooled", 0.0215), ("unpooled", 0.0636)):
            bar(ended(arm, latency_s))
        assert "mean so far" not in stream.getvalue()  # not before it is time to draw
    clock = Clock()
    with progress_bar(console, plan, clock) as bar:
        bar(ended("pooled", 0.0215))
        clock.now_s += 0.25
        bar(ended("unpooled", 0.0636))
    shown = stream.getvalue()
    assert planned(plan)[:60] in shown
    assert "measuring" in shown
    assert "2 of 100" in shown
    assert "mean so far · pooled: 21.5 ms · unpooled: 63.6 ms" in shown
    assert shown.endswith("\x1b[2K")  # all of it is gone again
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # and the cursor is back


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (Experiment(requests=50), "50 requests per arm, 1 at a time"),
        (Experiment(duration_s=30.0), "unlimited requests per arm in 30.0 s"),
        (Experiment(precision=0.02), "at most 10,000 requests per arm for ±2 %"),
        (
            Experiment(duration_s=30.0, concurrency=4),
            "unlimited requests per arm in 30.0 s, 4 at a time, maxsize 4, rounds in random order",
        ),
        (
            Experiment(
                sweep="maxsize",
                concurrency=8,
                maxsize=4,
                order="paired",
                requests=80,
                arms=(Arm("pooled", "4", 4), Arm("pooled", "2", 2)),
            ),
            "80 requests with each maxsize (2, 4), 8 threads, steady traffic, 1 round",
        ),
    ],
)
def test_what_will_be_asked_is_said_from_the_plan(experiment: Experiment, said: str) -> None:
    assert planned(Plan(TARGET, experiment=experiment)).startswith(f"GET http://a.test/ · {said}")
