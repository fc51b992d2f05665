from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from page.noisy import noisy_run
from support.runs import Script

from keepalive_bench.report.histogram import FEWEST, histogram, histogram_lines, latencies_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BOTH = "█▁"


def _arms(*values: list[float]) -> dict[str, list[float]]:
    return {f"arm-{number}": sorted(given) for number, given in enumerate(values)}


@pytest.mark.parametrize("spread", [0.05, 1.5])
def test_counts_are_numpys(spread: float) -> None:
    random = Random(1)  # noqa: S311  # noise, not a secret
    arms = _arms(*([random.lognormvariate(-4, spread) for _ in range(500)] for _ in range(3)))
    shown = histogram(arms, 40)
    assert shown is not None
    assert len(shown.edges_s) == 41
    assert shown.logarithmic == (spread > 1)
    for label, values in arms.items():
        inside = [value for value in values if value <= shown.edges_s[-1]]
        expected, _ = np.histogram(inside, bins=np.array(shown.edges_s))
        assert list(shown.counts[label]) == expected.tolist()
        beyond, _ = shown.beyond.get(label, (0, 0.0))
        assert sum(shown.counts[label]) + beyond == len(values)


@pytest.mark.parametrize(("highest", "edges"), [(0.02, np.linspace), (2.0, np.geomspace)])
def test_edges_grow_in_proportion_where_arms_are_far_apart(
    highest: float, edges: Callable[[float, float, int], Sequence[float]]
) -> None:
    shown = histogram(_arms([0.01] * 10, [highest] * 10), 20)
    assert shown is not None
    assert shown.edges_s == pytest.approx(edges(0.01, highest, 21))


def test_a_few_outliers_are_counted_beyond_the_axis_and_do_not_stretch_it() -> None:
    usual = [0.02 + number * 1e-5 for number in range(400)]
    shown = histogram(_arms([*usual, 3.0, 4.0], usual), 40)
    assert shown is not None
    assert shown.edges_s[-1] < 0.03
    assert shown.beyond == {"arm-0": (4, 4.0), "arm-1": (2, usual[-1])}  # less than a hundredth


def test_equal_latencies_stand_in_the_middle() -> None:
    shown = histogram(_arms([0.02] * 10), 3)
    assert shown is not None
    assert shown.counts == {"arm-0": (0, 10, 0)}


def test_too_few_answers_make_no_histogram() -> None:
    assert histogram(_arms([0.02] * (FEWEST - 1), []), 40) is None
    assert histogram(_arms([0.02] * FEWEST, []), 40) is not None
    assert histogram_lines(noisy_run(2), 80) == []


def test_failed_exchanges_are_left_out() -> None:
    script = Script("pooled", requests=3)
    for latency_s in (0.03, 0.01):
        script.send("pooled", latency_s)
    script.fail("pooled", 0.02)
    assert latencies_of(script.run()) == {"pooled": [0.01, 0.03]}


@pytest.mark.parametrize(("width", "plain_ascii"), [(60, False), (80, True), (200, False)])
def test_lines_fit_and_arms_stand_over_one_axis(width: int, *, plain_ascii: bool) -> None:
    lines = histogram_lines(noisy_run(1000), width, plain_ascii=plain_ascii)
    assert max(map(len, lines)) <= width
    assert all(line.isascii() for line in lines) == plain_ascii
    heading, _, pooled, _, unpooled, axis = lines
    assert heading == "latency distribution; each arm scaled to its own peak"
    assert pooled.startswith("pooled    ")
    assert unpooled.startswith("unpooled  ")
    bars = [line.partition("+")[0][10:] for line in (pooled, unpooled)]
    half = len(axis[10:]) // 2  # 42 ms: what reuses takes 20 ms, what connects 63 ms
    assert len(bars[0][:half].strip()) > 5
    assert not bars[1][:half].strip()
    assert [part[-2:] for part in axis.split("  ") if part.strip()] == ["ms"] * 3


def test_the_tail_is_counted_behind_the_bars() -> None:
    lines = histogram_lines(noisy_run(1000), 80)
    assert [line.split("+")[1] for line in lines if "+" in line] == [
        "5 up to 427 ms",
        "10 up to 466 ms",
    ]


def test_a_single_answer_in_a_bin_can_be_seen() -> None:
    latencies = [0.02] * 10_000 + [0.021]
    script = Script("pooled", requests=len(latencies))
    for latency_s in latencies:
        script.send("pooled", latency_s)
    *_, bars, _ = histogram_lines(script.run(), 80)
    assert bars.replace(" ", "") == f"pooled{_BOTH}"


def test_where_there_is_no_room_nothing_is_drawn() -> None:
    arms = (("a-label-of-thirty-two-characters", "pooled"), ("unpooled", "unpooled"))
    assert histogram_lines(noisy_run(50, arms), 50) == []
