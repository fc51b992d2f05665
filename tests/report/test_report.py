from __future__ import annotations

import re
from random import Random

import pytest
from support.exports import everything, intervals_are_whole, printed
from support.runs import CUT_OFF, HTML, Script, paired_run
from support.screens import screen
from support.scripted import closing_run, scripted_run

from keepalive_bench import analyse
from keepalive_bench.plan.load import Load
from keepalive_bench.report import run_tables
from keepalive_bench.results.exchange import Ending, Failure

_RATIOS = ("mean_ratio", "speedup")


def _report(
    *more_arms: tuple[str, str], width: int = 80, plain_ascii: bool = False, plot: bool = True
) -> str:
    return printed(scripted_run(*more_arms), width, plotted=plot, plain_ascii=plain_ascii)


def test_each_comparison_has_both_of_its_ratios_in_the_table() -> None:
    analysis = analyse(scripted_run(("other", "unpooled")))
    for row, of in zip(run_tables.comparison_rows(analysis)[-2:], _RATIOS, strict=True):
        ratios = [getattr(comparison, of) for comparison in analysis.comparisons]
        assert row.differences == tuple(f"{it.estimate:.2f}×" for it in ratios)
        assert len(row.differences) > 1


def test_a_ratio_of_nothing_has_no_row() -> None:
    script = Script("pooled", "unpooled", requests=2)
    for arm in ("pooled", "unpooled") * 2:
        script.fail(arm)
    names = [row.name for row in run_tables.comparison_rows(analyse(script.run()))]
    assert run_tables.RATIO_ROWS["mean_ratio"] not in names


def test_each_reason_stands_under_the_count_that_it_is_part_of() -> None:
    """Reasons for more connections at a time were listed under a number reopened of 0."""
    script = Script("pooled", requests=4, concurrency=2, maxsize=1)
    first, second = script.open("pooled", 0), script.open("pooled", 1)
    script.send("pooled", 0.01, on=first)
    script.send("pooled", 0.01, on=second)
    script.connections.ended(second, Ending("discarded"), 0.5)
    script.send("pooled", 0.01, on=script.open("pooled", 1))
    rows = run_tables.comparison_rows(analyse(script.run()))
    assert [(row.name, row.cells[0]) for row in rows[:4]] == [
        ("connections", "3"),
        ("  pool-exhausted", "1"),
        ("reopened", "1"),
        ("  reopened: pool-full", "1"),
    ]


def test_a_terminal_of_an_older_encoding_gets_ascii() -> None:
    run = closing_run()
    assert screen(run, 80, encoding="cp1252") == screen(run, 80, encoding="ascii")


def test_a_terminal_gets_no_colour_but_that_of_marks() -> None:
    """So the text can be read on a light background as on a dark one."""
    found = screen(everything(), 80, is_terminal=True)
    assert set(re.findall(r"\{[a-z /]+\}", found)) == {"{bold}", "{bold red}", "{/}"}
    assert set(re.findall(r"\{bold red\}(.*?)\{/\}", found)) <= {"!", "✗"}


def test_the_same_advice_is_given_once() -> None:
    script = Script("pooled", "unpooled", requests=2)
    for label in ("pooled", "unpooled"):
        script.send(label, 0.01)
        script.fail(label, failure=Failure("closed-before-response", "closed"))
    words = " ".join(printed(script.run(), 80).split())
    assert words.count("failed: closed-before-response") == 2
    assert words.count("The server's log may say why.") == 1


def test_what_another_arm_says_too_comes_behind_other_warnings() -> None:
    # After Ctrl-C, two arms' requests that weren't sent left no room for a reason of reopening.
    script = Script("pooled", "unpooled", requests=40)
    for _ in range(8):
        row = script.open("pooled")
        script.send("pooled", 0.01, on=row, answer=HTML._replace(connection="close"))
        script.connections.ended(row, Ending("announced"), script.now_s)
        script.send("unpooled", 0.02)
    words = " ".join(printed(script.run(interrupted=True), 80).split())
    assert words.index("Connection: close") < words.index(" with -v")
    assert words.count(" were not sent.") == 1


def test_secrets_in_the_url_are_not_shown() -> None:
    report = _report()
    assert "s3kr1t" not in report
    assert "https://api.example.com/search?token=***&a=1" in report


def test_bars_are_drawn_only_where_there_is_room() -> None:
    assert "█" not in _report(width=60, plot=False)
    assert "█" in _report(width=120, plot=False)
    assert "#" in _report(width=120, plot=False, plain_ascii=True)
    assert "█" not in _report(width=120, plot=False, plain_ascii=True)


def test_distributions_stand_under_the_table_unless_they_are_not_wanted() -> None:
    lines = printed(closing_run(30), 80, plotted=True).splitlines()
    heading = "latency distribution; each arm scaled to its own peak"
    assert lines[lines.index(heading) - 2].startswith("on an open connection")
    assert heading not in printed(closing_run(30), 80)
    assert heading not in printed(closing_run(29), 80, plotted=True)
    assert "▁" not in _report(plain_ascii=True)


@pytest.mark.parametrize(
    ("width", "label"),
    [
        (60, "third"),
        (200, "third"),
        *((it, "a-label-of-thirty-two-characters") for it in (60, 80, 100)),
    ],
)
def test_three_arms_fit_and_no_number_is_cut(width: int, label: str) -> None:
    report = _report((label, "pooled"), width=width)
    assert max(map(len, report.splitlines())) <= width
    assert not re.search(r"\S…", report)  # as Rich cuts; intervals have a blank
    mean = next(line for line in report.splitlines() if line.startswith("latency mean"))
    assert mean.count(" ms") >= 3


@pytest.mark.parametrize(
    ("width", "label"), [(30, "third"), (40, "a-label-of-32-characters-it-is")]
)
def test_in_a_narrow_terminal_no_number_is_cut(width: int, label: str) -> None:
    """They were: `20 × 0.10…`, `[33.1 … 42`."""
    report = _report((label, "pooled"), width=width, plot=False)
    assert max(map(len, report.splitlines())) <= width
    assert report.count("20 × 0.100 ms") == 9  # sending, receiving and client overhead, thrice
    assert intervals_are_whole(report)


def test_the_numbers_are_the_scripts() -> None:
    rows = {row.name.strip(): row for row in run_tables.comparison_rows(analyse(scripted_run()))}
    assert rows["connections"].cells == ("1", "20")
    assert rows["connections"].differences == ("−19",)
    assert rows["requests"].cells == ("20", "20")
    assert rows["requests/connection"].cells == ("20.0", "1.0")
    assert "failed" not in rows  # none did
    # 21.5 ms each, and 42.2 ms once in 20, or each time
    assert rows["latency mean"].cells == ("23.6 ms", "63.7 ms")
    assert rows["latency mean"].differences == ("−40.1 ms",)
    assert rows["p50"].cells == ("21.5 ms", "63.7 ms")
    assert rows["p99"].cells == ("–", "–")  # 20 requests don't bear it
    assert rows["max"].cells == ("63.7 ms", "63.7 ms")


def test_what_was_cut_off_has_a_line_only_where_there_is_some() -> None:
    script = Script("pooled", "unpooled", requests=1)
    script.send("pooled", 0.01)
    script.send("unpooled", 0.01)
    assert "interrupted" not in {
        row.name for row in run_tables.comparison_rows(analyse(script.run()))
    }
    script.fail("unpooled", failure=CUT_OFF)
    analysis = analyse(script.run(interrupted=True))
    rows = {row.name: row.cells for row in run_tables.comparison_rows(analysis)}
    assert rows["interrupted"] == ("0", "1")
    assert rows["requests"] == ("1", "1")


def test_phases_are_counts_times_durations_and_never_averages_over_zeros() -> None:
    rows = {row.phase: row.cells for row in run_tables.phase_rows(analyse(scripted_run()))}
    assert rows["connect"] == (("1", "20.9 ms"), ("20", "20.9 ms"))
    assert rows["tls"] == (("1", "21.3 ms"), ("20", "21.3 ms"))
    assert rows["wait"] == (("20", "21.2 ms"), ("20", "21.2 ms"))
    assert "dns" not in rows


def test_an_interval_of_seconds_beside_milliseconds_says_so() -> None:
    """Two arms that don't differ, of answers between half a second and six."""
    random = Random(3)  # noqa: S311  # not for secrets
    values = [random.uniform(0.5, 6) for _ in range(100)]
    rows = run_tables.comparison_rows(analyse(paired_run(values[:50], values[50:])))
    (p50,) = [row for row in rows if row.name.strip() == "p50"]
    assert re.fullmatch(r"[−+]\d{1,3}(\.\d+)? ms", p50.differences[0])
    assert re.fullmatch(r"\[−\d\.\d\d s … \+\d\.\d\d s\]", p50.intervals[0])


def test_of_an_open_load_every_figure_stands_beside_the_uncorrected_one() -> None:
    """Each answer takes 10 ms, and every second one of them came 100 ms late."""
    script = Script("pooled", requests=200, load=Load(rate=10.0))
    for number in range(200):
        late_s = 0.1 * (number % 2)
        script.send("pooled", 0.01 + late_s, queued_s=late_s)
    rows = {row.name: row.cells[0] for row in run_tables.comparison_rows(analyse(script.run()))}
    names = ("mean", "p50", "p90", "p95", "p99", "max")
    corrected = ("60.0 ms", "60.0 ms", *["110 ms"] * 4)
    assert [rows[f"{'latency' * (it == 'mean'):7} {it}"] for it in names] == [*corrected]
    assert [rows[f"{'uncorrected' * (it == 'mean'):11} {it}"] for it in names] == ["10.0 ms"] * 6
