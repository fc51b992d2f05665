"""What is noticed of the measurement itself, on runs written down by hand."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import pytest
from support.runs import ENVIRONMENT, Script, view_of

from keepalive_bench import analyse
from keepalive_bench.findings.client_bound import own_s
from keepalive_bench.plan.load import Load

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding

BUSY = {"wall_s": 4.0, "cpu_s": 3.0}


def noticed(run_info: dict[str, Any], **experiment: Any) -> dict[str, Finding]:  # noqa: ANN401
    """Findings of a run of latencies of 10 ms that went so."""
    script = Script("pooled", "unpooled", **{"requests": 400, **experiment})
    for label in ("pooled", "unpooled"):
        row = script.open(label)
        for _ in range(script.plan.experiment.requests):
            script.send(label, 0.01, on=row)
    run = script.run(**{"cpu_s": 0.1, **run_info})
    return {finding.code: finding for finding in analyse(run).findings}


def test_a_busy_process_of_several_threads_is_found() -> None:
    finding = noticed(BUSY, concurrency=4)["client-bound"]
    assert finding.evidence == {"wall_s": 4.0, "cpu_s": 3.0, "share": 0.75} | {
        "own_s": pytest.approx((3.0 - 0.008) / 800)
    }
    assert "busy for 75 % of the time" in finding.text


def test_waiting_for_the_interpreter_is_found_however_idle_the_process_is() -> None:
    finding = noticed({"gil_wait_s": 0.002}, concurrency=4)["client-bound"]
    assert finding.evidence["gil_wait_s"] == 0.002
    assert "waits 2.00 ms more" in finding.text
    assert "typical latency is 10.0 ms" in finding.text


@pytest.mark.parametrize(
    ("run_info", "concurrency"),
    [
        ({"wall_s": 4.0, "cpu_s": 1.9}, 1),
        ({"gil_wait_s": 0.0009}, 4),
        ({}, 4),
        ({"gil_wait_s": 0.002, "other_cpu_min": 0.9, "other_cpu_max": 0.9}, 4),
    ],
    ids=["one idle thread", "a little", "unknown", "for a processor, perhaps"],
)
def test_little_waiting_and_little_work_are_not(run_info: dict[str, Any], concurrency: int) -> None:
    assert "client-bound" not in noticed(run_info, concurrency=concurrency)


def test_the_work_of_one_thread_is_told_where_it_is_half_of_the_time() -> None:
    finding = noticed(BUSY)["client-bound"]
    assert finding.severity == "info"
    assert finding.evidence == {"wall_s": 4.0, "cpu_s": 3.0, "share": 0.75, "own_s": 3.0 / 800}
    assert "3.75 ms of processor time for each request" in finding.text


def test_processes_share_what_they_were_busy_for() -> None:
    assert "client-bound" not in noticed({"wall_s": 4.0, "cpu_s": 0.2}, processes=2)
    told = noticed(BUSY, processes=2)["client-bound"].text
    assert "of the 10.0 ms that a request of pooled typically takes" in told
    evidence = noticed({"wall_s": 4.0, "cpu_s": 6.0}, processes=2)["client-bound"].evidence
    assert evidence["share"] == 0.75


def test_more_processes_are_advised_where_there_are_processors_for_them() -> None:
    assert "Use more --processes" in noticed(BUSY, concurrency=4)["client-bound"].advice
    many = noticed({"wall_s": 4.0, "cpu_s": 6.0}, concurrency=4, processes=2)["client-bound"]
    assert "Use a lower --concurrency" in many.advice
    assert "its 2 processes were each busy for 75 % of the time" in many.text


def crowd(together: int, apart_s: float, cpu_s: float) -> dict[str, Finding]:
    """Findings of a run of 1,000 requests, so many at once, answered together after 100 ms."""
    script = Script("pooled", requests=1000, concurrency=together)
    row = script.open("pooled")
    for number in range(1000):
        burst, place = divmod(number, together)
        latency_s = 0.1 + place * apart_s
        script.send("pooled", latency_s, on=row, began_s=0.2 * burst, round_number=0)
    run = script.run(cpu_s=cpu_s, wall_s=0.2 * (1 + 1000 / together))
    return {finding.code: finding for finding in analyse(run).findings}


def test_answers_that_come_together_and_are_taken_one_by_one_are_found() -> None:
    # 64 answers, 0.3 ms of processor time each: the median one is the 32nd or 33rd to be taken.
    own_s = crowd(64, 0.0003, 0.3)["client-bound"].evidence["own_s"]
    assert own_s == pytest.approx(32 * 0.0003, rel=0.05)


@pytest.mark.parametrize(
    ("together", "apart_s", "cpu_s"),
    [(8, 0.0003, 0.3), (64, 0.0009, 0.3), (64, 0.0001, 0.02)],
    ids=["few", "apart", "quickly taken"],
)
def test_where_they_are_few_or_apart_or_quickly_taken_they_are_not(
    together: int, apart_s: float, cpu_s: float
) -> None:
    assert "client-bound" not in crowd(together, apart_s, cpu_s)


def saturated(threads: int, work_s: float, server_s: float, rounds: int = 6) -> dict[str, Finding]:
    """Findings of a closed loop of an interpreter that has never done.

    Threads share it; each exchange takes it for a while, half before it is sent and half when it is
    answered, in the order in which they come. Of a round, all threads begin together.
    """
    script = Script("pooled", "unpooled", requests=rounds * 10 * threads, concurrency=threads)
    clock_s, count = 0.0, 0
    for number in range(rounds):
        for label in ("pooled", "unpooled"):
            began = dict.fromkeys(range(threads), clock_s)
            queue = [(clock_s, thread, False) for thread in range(threads)]
            left, index = 10 * threads, number * 10 * threads
            while queue:
                ready_s, thread, answered = heappop(queue)
                clock_s = max(clock_s, ready_s) + work_s / 2
                if not answered:
                    heappush(queue, (clock_s + server_s, thread, True))
                    continue
                latency_s = clock_s - began[thread]
                script.send(
                    label, latency_s, began_s=began[thread], index=index, round_number=number
                )
                index, count, left = index + 1, count + 1, left - 1
                if left >= threads:
                    began[thread] = clock_s
                    heappush(queue, (clock_s, thread, False))
    run = script.run(cpu_s=work_s * count, wall_s=clock_s, gil_wait_s=0.00408)
    return {finding.code: finding for finding in analyse(run).findings}


@pytest.mark.parametrize(
    ("threads", "work_s", "server_s"),
    [(8, 0.00017, 0.00005), (64, 0.0003, 0.01)],
)
def test_a_saturated_client_owes_what_the_server_did_not_take_and_no_more_than_all(
    threads: int, work_s: float, server_s: float
) -> None:
    """It was once told that of a latency of 1.36 ms, 7.59 ms were its own."""
    own_s = saturated(threads, work_s, server_s)["client-bound"].evidence["own_s"]
    assert isinstance(own_s, float)
    latency_s = threads * work_s  # J. D. C. Little's law (1961): threads ÷ what each takes
    assert 0.9 * (latency_s - server_s) <= own_s <= 1.01 * latency_s


def test_a_thread_that_got_its_turn_later_than_requests_take_is_no_request() -> None:
    text = saturated(4, 0.00016, 0.0001)["client-bound"].text
    assert "A sleeping thread resumed 4.08 ms late on average" in text
    assert "After each wait" not in text


def test_answers_of_several_processes_are_rows_of_their_own() -> None:
    """Of two interpreters, each with 32 of 64 answers: half as long a row."""
    script = Script("pooled", requests=1280, concurrency=64)
    for number in range(1280):
        burst, place = divmod(number, 64)
        latency_s = 0.1 + place // 2 * 0.0003
        script.send("pooled", latency_s, began_s=0.2 * burst, round_number=0)
    run = script.run(cpu_s=0.384, wall_s=4.0)
    found = [own_s(run, view_of(run))]
    run = run._replace(plan=replace(run.plan, experiment=replace(run.plan.experiment, processes=2)))
    found.append(own_s(run, view_of(run)))
    assert found == pytest.approx([16 * 0.0003] * 2, rel=0.1)


def open_load(late: int) -> dict[str, Finding]:
    """Findings of a run at a rate; of 400 requests so many started 20 ms late."""
    script = Script("pooled", requests=400, load=Load(rate=10.0), concurrency=3)
    row = script.open("pooled")
    for number in range(400):
        queued_s = 0.02 if number < late else 0.0005
        script.send("pooled", 0.03, on=row, began_s=number / 10, queued_s=queued_s)
    return {finding.code: finding for finding in analyse(script.run(cpu_s=0.1)).findings}


def test_late_starts_are_found_from_one_in_a_hundred_on() -> None:
    evidence = open_load(4)["late-starts"].evidence
    late_s = pytest.approx(0.02)
    assert evidence == {"arm": "pooled", "count": 4, "mean_s": late_s, "max_s": late_s}
    assert "late-starts" not in open_load(3)


def test_a_machine_that_is_busy_all_along_is_found_and_its_changes_then_are_not() -> None:
    findings = noticed({"other_cpu_min": 0.75, "other_cpu_max": 1.0})
    assert findings["machine-busy"].evidence == {"least": 0.75, "most": 1.0}
    assert "load-changed" not in findings


@pytest.mark.parametrize(("processes", "is_busy"), [(1, False), (2, True)])
def test_kab_s_own_processes_may_keep_a_machine_busy(processes: int, *, is_busy: bool) -> None:
    script = Script("pooled", requests=100, processes=processes)
    row = script.open("pooled")
    for _ in range(100):
        script.send("pooled", 0.03, on=row)
    # Of two processors, kab takes 2 s in 2 s: a half. One request at a time waits for nobody.
    run = script.run(cpu_s=2.0, wall_s=2.0, other_cpu_min=0.3, other_cpu_max=0.4)
    found = {it.code: it for it in analyse(run).findings}
    assert ("machine-busy" in found) == is_busy
    if is_busy:
        assert found["machine-busy"].evidence == {"least": 0.3, "most": 0.4, "own": 0.5}


@pytest.mark.parametrize(
    ("order", "severity", "advice"),
    [("paired", "info", "quieter"), ("sequential", "warning", "--order paired")],
)
def test_a_load_that_changes_is_found(order: str, severity: str, advice: str) -> None:
    finding = noticed({"other_cpu_min": 0.1, "other_cpu_max": 0.4}, order=order)["load-changed"]
    assert (finding.severity, finding.evidence) == (severity, {"least": 0.1, "most": 0.4})
    assert finding.is_detail == (severity == "info")  # a warning never is
    assert advice in finding.advice


@pytest.mark.parametrize("most", [None, 0.2])
def test_a_load_that_is_unknown_or_steady_is_not(most: float | None) -> None:
    least = None if most is None else 0.1
    findings = noticed({"other_cpu_min": least, "other_cpu_max": most})
    assert not {"load-changed", "machine-busy"} & findings.keys()


def test_collected_garbage_is_found() -> None:
    assert noticed({"gc_collections": 3})["garbage-collected"].evidence == {"collections": 3}


def test_a_clock_that_ticks_too_coarsely_is_found() -> None:
    script = Script("pooled", requests=6)
    row = script.open("pooled")
    for _ in range(6):
        script.send("pooled", 0.01, on=row)
    coarse = script.run()._replace(environment=ENVIRONMENT._replace(clock_resolution_s=0.015))
    codes = [finding.code for finding in analyse(coarse).findings]
    assert "clock-too-coarse" in codes
