"""Runs at a rate, written down by hand: what counts from the intended start, and what doesn't."""

from __future__ import annotations

import json

import pytest
from support.runs import Script

from keepalive_bench import Analysis, Load, Run, analyse
from keepalive_bench.analysis.arm_summary import LateStarts
from keepalive_bench.report.document import derived_document
from keepalive_bench.report.preamble import circumstances
from keepalive_bench.report.run_tables import comparison_rows
from keepalive_bench.results.exchange import Ending, Phases
from keepalive_bench.results.file import document_lines

LATE = [0.0, 0.0, 0.75, 0.5, 0.25]


def late_run() -> Run:
    """Two arms, each of five requests at 4/s; three of the pooled arm's waited for a thread."""
    script = Script("pooled", "unpooled", requests=5, load=Load(rate=4.0), order="sequential")
    row = script.open("pooled")
    for number, queued_s in enumerate(LATE):
        script.send(
            "pooled",
            queued_s + 0.125,
            on=row,
            began_s=number / 4,
            queued_s=queued_s,
            round_number=0,
            phases=Phases(wait=0.125),
        )
    for number in range(5):
        phases = Phases(connect=0.0625, wait=0.125)
        row = script.open("unpooled")
        began_s = 10 + number / 4
        script.send(
            "unpooled",
            0.1875,
            on=row,
            began_s=began_s,
            queued_s=0.0,
            round_number=0,
            phases=phases,
        )
    return script.run()


def analysed() -> Analysis:
    return analyse(late_run())


def test_the_uncorrected_latency_is_that_from_the_real_start() -> None:
    arm = analysed().first
    assert arm.uncorrected_latency_s is not None
    assert (arm.uncorrected_latency_s.mean, arm.uncorrected_latency_s.max) == (0.125, 0.125)
    assert (arm.latency.mean, arm.latency.max) == (0.125 + sum(LATE) / 5, 0.875)


def test_late_starts_are_counted_with_how_late_they_were() -> None:
    pooled, unpooled = (arm.late_starts for arm in analysed().arms)
    assert pooled == LateStarts(count=3, mean_s=0.5, max_s=0.75)
    assert unpooled == LateStarts(count=0, mean_s=None, max_s=None)


def test_what_was_queued_is_part_of_the_latency_like_a_phase() -> None:
    arm = analysed().first
    assert next(iter(arm.phases)) == "queued"
    assert arm.phases["queued"].per_request == sum(LATE) / 5
    total = sum(phase.per_request for phase in arm.phases.values())
    assert total == pytest.approx(arm.latency.mean)
    assert arm.phases["remainder"].per_request == pytest.approx(0)


def test_a_difference_of_late_starts_is_explained_as_one() -> None:
    explanation = analysed().comparisons[0].explained
    assert explanation is not None
    assert explanation.parts_s["queued"] == -sum(LATE) / 5
    assert explanation.parts_s["connect"] == 0.0625
    assert explanation.parts_s["remainder"] == pytest.approx(0)


def test_an_arm_that_keeps_up_has_the_rate_that_was_asked_for() -> None:
    pooled, unpooled = analysed().arms
    assert unpooled.requests_per_second == pytest.approx(4.0)
    assert pooled.requests_per_second == pytest.approx(5 / 1.375)  # its last answer was late


def test_the_rate_that_was_given_has_no_interval() -> None:
    assert analysed().comparisons[0].requests_per_second[1:] == (None, None)


def test_the_table_shows_both_latencies_and_the_late_starts() -> None:
    rows = {row.name.strip(): row.cells for row in comparison_rows(analysed())}
    assert rows["latency mean"][0] == "425 ms"
    assert rows["uncorrected mean"] == ("125 ms", "188 ms")
    assert rows["late starts"] == ("3", "0")
    assert rows["at most"] == ("750 ms", "–")
    assert "4/s" in circumstances(analysed())


def test_a_closed_run_says_nothing_of_it() -> None:
    script = Script("pooled", requests=1)
    script.send("pooled", 0.1, on=script.open("pooled"))
    analysis = analyse(script.run())
    names = [row.name for row in comparison_rows(analysis)]
    assert not [name for name in names if "late" in name.split() or "uncorrected" in name]
    arm = derived_document(analysis)["arms"]["pooled"]
    assert set(arm["uncorrected_latency_s"].values()) == {None}
    assert set(arm["late_starts"].values()) == {None}


def test_it_is_stored_and_read_back() -> None:
    run = late_run()
    lines = list(document_lines(run, derived_document(analyse(run))))
    columns = json.loads("".join(lines))["exchanges"]["columns"]
    assert columns["queued_s"][:5] == LATE
    again = Run.of_lines(lines)
    assert list(again.exchanges) == list(run.exchanges)
    assert analyse(again).arms == analyse(run).arms


def test_a_pause_that_was_asked_for_is_not_kabs_doing_though_another_arm_ran_in_it() -> None:
    script = Script("pooled", "unpooled", requests=2, load=Load(think_s=(1.0, 1.0)))
    first = script.open("pooled")
    script.send("pooled", 0.1, on=first, began_s=0.0)
    script.send("unpooled", 0.7, on=script.open("unpooled"), began_s=0.1)
    script.connections.ended(first, ending_after(0.5), 1.1)
    second = script.open("pooled", opened_s=1.2)
    script.send("pooled", 0.1, on=second, began_s=1.15)
    reason = analyse(script.run()).first.reasons[second]
    assert reason.code == "idle-timeout"
    assert reason.evidence["idle_by_kab_s"] == pytest.approx(0.1)  # 1.1 s, and 1 s was asked for
    assert not reason.evidence["interleaved"]


def ending_after(seconds: float) -> Ending:
    return Ending("fin", 1.05, seconds)
