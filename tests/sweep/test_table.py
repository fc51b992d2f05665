"""The table of a sweep in terminals of every width: no line too wide, and no word cut."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from support.exports import intervals_are_whole, printed
from support.runs import Script
from support.sweeps import scripted_sweep, swept

from keepalive_bench import analyse
from keepalive_bench.report.preamble import answers, circumstances

COUNTS = ["requests", "connections", "open at once", "reuse", "discarded"]
TIMES = ["p50", "95 % CI", "p95", "95 % CI", "requests/s", "95 % CI"]


def lines(width: int) -> list[str]:
    return printed(scripted_sweep(1, 4, 8, bursts=40), width).splitlines()


@pytest.mark.parametrize("width", [36, 54, 78, 156])
def test_a_heading_is_never_parted_and_each_column_is_there_once(width: int) -> None:
    shown = lines(width)
    headings = [above for above, rule in pairwise(shown) if set(rule) == {"─"}]
    cells = [re.split(r"  +", heading) for heading in headings]
    assert [first for first, *_ in cells] == ["maxsize"] * len(headings)
    assert [name for _, *names in cells for name in names] == [*COUNTS, *TIMES]
    assert max(map(len, shown)) <= width


@pytest.mark.parametrize("width", [20, 24, 30, 36])
def test_in_a_narrow_terminal_no_number_is_cut(width: int) -> None:
    """They were in two lines: `[2,000 …` and `2,000]`."""
    assert intervals_are_whole("\n".join(lines(width)))


def test_a_wider_terminal_never_has_more_tables() -> None:
    tables = [sum(set(line) == {"─"} for line in lines(width)) for width in (40, 60, 80, 120, 180)]
    assert tables == sorted(tables, reverse=True)
    assert tables[-1] == 1


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        (24, "24 requests with each maxsize (1, 4), 8 threads, traffic in bursts, 3 rounds in "),
        (20, "2 rounds in random order, the last burst of 4 only"),
    ],
)
def test_that_the_last_burst_is_no_whole_one_is_said(requests: int, said: str) -> None:
    script = Script(**swept(1, 4, concurrency=8, requests=requests))
    for _ in range(requests):
        script.send("1", 0.001)
        script.send("4", 0.001)
    shown = circumstances(analyse(script.run()))
    assert said in shown
    assert shown.endswith("in random order" if requests == 24 else "4 only")


def test_of_several_concurrencies_those_that_do_not_divide_the_requests_are_named() -> None:
    options = swept(1, 3, 4, sweep="concurrency", concurrency=4, requests=8)
    script = Script(**options)
    for label in ("1", "3", "4"):
        for _ in range(8):
            script.send(label, 0.001)
    assert circumstances(analyse(script.run())).endswith(", the last burst a smaller one with 3")


def test_what_was_answered_is_told_of_each_value_by_its_name() -> None:
    alike, unlike = (Script(**swept(1, 4, requests=1)) for _ in range(2))
    for script, status in ((alike, 200), (unlike, 404)):
        script.send("1", 0.001)
        script.send("4", 0.001, status=status)
    (said,) = answers(analyse(alike.run()))
    assert said == "responses to each maxsize: 1 × status 200; HTTP/1.1, text/html, 100 B"
    assert [line.partition(";")[0] for line in answers(analyse(unlike.run()))] == [
        "responses to maxsize 1: 1 × status 200",
        "responses to maxsize 4: 1 × status 404",
    ]
