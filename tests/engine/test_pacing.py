"""When requests start: the values alone, and the engine with a clock that is told the time."""

from __future__ import annotations

import os
import signal
import threading
import time
from heapq import heappop, heappush
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from support.fakes import ANSWERED, FAILED, URL, Scripted, Stage, stage
from support.patience import PATIENCE_S
from support.plans import plan

from keepalive_bench import Arm, Load, UsageError
from keepalive_bench.engine.dispatcher import Dispatcher
from keepalive_bench.engine.pacing import Bursts, Pauses, Rate, RunClock, Turn, pacing_of
from keepalive_bench.engine.schedule import Block, schedule, timed
from keepalive_bench.results.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keepalive_bench import Plan

ONE = (Arm("pooled"),)


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Server:
    """Answers after a time that its clock goes on by; one request at a time."""

    def __init__(self, clock: Scripted, takes_s: Callable[[int], float]) -> None:
        self.clock, self.takes_s = clock, takes_s
        self.started: list[float] = []

    def __call__(self, index: int) -> Outcome:
        began_s = self.clock.now_s()
        self.started.append(began_s)
        self.clock.take(self.takes_s(index))
        return Outcome(began_s, self.clock.now_s() - began_s, status=200)


def served(takes_s: Callable[[int], float], **options: object) -> tuple[Stage, Server]:
    """An engine with one arm, one thread, a scripted clock, and a server on it."""
    clock = Scripted()
    server = Server(clock, takes_s)
    wanted = {"arms": ONE, "order": "sequential", **options}
    return Stage({"pooled": server}, plan(URL, **wanted), clock), server


def test_a_rate_is_even_from_the_start_of_the_block() -> None:
    turns = [Turn(40 + number, number, 0, 7.0, -inf, -inf) for number in range(4)]
    assert [Rate(4).start_s(turn) for turn in turns] == [7.0, 7.25, 7.5, 7.75]
    assert [Rate(4, burst=2).start_s(turn) for turn in turns] == [7.0, 7.0, 7.5, 7.5]


def test_requests_start_on_time_whatever_answers_take() -> None:
    stages, server = served(lambda _: 0.125, requests=8, load=Load(rate=4))
    stages.run()
    assert server.started == [number / 4 for number in range(8)]
    assert {it.outcome.queued_s for it in stages.exchanges} == {0.0}
    assert {it.outcome.latency_s for it in stages.exchanges} == {0.125}


def test_a_stall_is_in_the_latency_of_all_that_were_to_start_in_it() -> None:
    """Coordinated omission: a second's stall delays three more, which closed load wouldn't see."""
    stages, _ = served(lambda it: 1.0 if it == 2 else 0.0, requests=10, load=Load(rate=4))
    stages.run()
    outcomes = [it.outcome for it in stages.exchanges]
    assert [it.began_s for it in outcomes] == [number / 4 for number in range(10)]
    late = [0, 0, 0, 0.75, 0.5, 0.25, 0, 0, 0, 0]
    assert [it.queued_s for it in outcomes] == late
    assert [it.latency_s for it in outcomes] == [0, 0, 1.0, 0.75, 0.5, 0.25, 0, 0, 0, 0]


def simulated(
    wanted: Plan, takes_s: Callable[[int, float], float], blocks: Iterable[Block] | None = None
) -> dict[str, list[float]]:
    """How late each arm's requests start, in order; `takes_s` is told an index and a start.

    As the engine does it, but without threads, which no clock that is told the time keeps in step.
    """
    now_s, experiment = 0.0, wanted.experiment
    threads = dict.fromkeys(experiment.labels, experiment.threads)
    dispatcher = Dispatcher(threads, pacing_of(experiment), lambda: now_s)
    late_s: dict[str, list[float]] = {label: [] for label in experiment.labels}
    blocks = timed(blocks or schedule(experiment), experiment, lambda: now_s)
    end = None
    while True:
        try:
            block = blocks.send(end)
        except StopIteration:
            return late_s
        dispatcher.begin(block)
        free = [(now_s, worker, -1) for worker in range(threads[block.arm])]
        while free:
            now_s, worker, ended = heappop(free)
            if ended >= 0:
                dispatcher.ended(worker, block.arm, ended)
            claim = dispatcher.claim(worker, -inf)
            if claim is None:
                continue
            index, start_s = claim
            assert start_s is not None
            began_s = max(start_s, now_s)
            late_s[block.arm].append(began_s - start_s)
            heappush(free, (began_s + takes_s(index, began_s), worker, index))
        end = dispatcher.leave()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stall_is_not_hidden_by_the_turns_of_the_arms(threads: int) -> None:
    """What a stall delays of the arm's next block is as late as if the arm had run alone."""

    def late_starts(order: str) -> list[float]:
        options = {"requests": 120, "concurrency": threads, "load": Load(rate=10 * threads)}
        stalled = range(20, 20 + threads)
        wanted = plan(URL, order=order, **options)
        return simulated(wanted, lambda it, _: 10.0 if it in stalled else 0.0)["pooled"]

    paired, alone = late_starts("paired"), late_starts("sequential")
    assert sum(1 for it in alone if it) > 80  # of the 100 that were to start in ten seconds
    assert paired == pytest.approx(alone, abs=1e-9)


@pytest.mark.parametrize("begins_s", [1.30, 1.50, 1.55])
def test_a_stall_is_not_hidden_by_the_end_of_a_block_either(begins_s: float) -> None:
    """16 workers, 100 requests a second in blocks of 1.6 s, a server that stalls."""
    ends_s = begins_s + 10.0
    wanted = plan(URL, concurrency=16, load=Load(rate=100))

    def late_starts(size: int) -> int:
        blocks = (
            Block(0, "pooled", range(first, first + size), first=first)
            for first in range(0, 1600, size)
        )
        late_s = simulated(
            wanted, lambda _, at: ends_s - at if begins_s <= at < ends_s else 0.002, blocks
        )
        return sum(1 for it in late_s["pooled"] if it > 1e-3)

    alone = late_starts(1600)
    assert alone > 900
    assert late_starts(160) == pytest.approx(alone, rel=0.05)


def test_a_slow_answer_at_the_end_of_a_block_delays_nobody() -> None:
    wanted = plan(URL, requests=60, concurrency=2, load=Load(rate=20))
    late_s = simulated(wanted, lambda it, _: 0.5 if it == 19 else 0.0)
    assert late_s["pooled"] == late_s["unpooled"] == [0.0] * 60


def test_an_arm_that_is_stopped_is_not_waited_for() -> None:
    clock = Scripted()
    stages = Stage(
        {"pooled": lambda _: FAILED, "unpooled": Server(clock, lambda _: 0.0)},
        plan(URL, requests=3600, order="sequential", load=Load(rate=1)),
        clock,
    )
    stages.run()
    assert stages.count("pooled") == 5
    first = next(it for it in stages.exchanges if it.arm == "unpooled")
    assert first.outcome.began_s == 4.0


def test_an_arm_that_its_time_has_ended_is_not_waited_for_either() -> None:
    clock = Scripted()
    servers = {label: Server(clock, lambda _: 0.0) for label in ("pooled", "unpooled")}
    options = {"duration_s": 4.0, "order": "sequential", "load": Load(rate=8)}
    stages = Stage(servers, plan(URL, **options), clock)
    stages.run()
    assert stages.reached == {"pooled": 16, "unpooled": 16}
    assert clock.now_s() < 4.1


@pytest.mark.parametrize(
    ("takes_s", "options"),
    [
        (0.0, {"load": Load(rate=1 / 60)}),
        (0.0, {"load": Load(think_s=(300.0, 300.0))}),
        (0.0, {"load": Load(think_s=(300.0, 300.0), traffic="bursts")}),
        (0.5, {"load": Load(rate=100)}),
        (0.5, {"concurrency": 2}),
    ],
    ids=["a slow rate", "long pauses", "rare bursts", "an overload", "slow answers"],
)
def test_time_that_is_over_ends_rounds_under_way(takes_s: float, options: dict[str, Any]) -> None:
    clock = Scripted()
    servers = {label: Server(clock, lambda _: takes_s) for label in ("pooled", "unpooled")}
    stages = Stage(servers, plan(URL, duration_s=2.0, **options), clock)
    assert stages.run() is False
    assert clock.now_s() <= 2.0 + 1.0 + 2 * takes_s
    assert stages.exchanges
    for arm in servers:
        assert stages.count(arm) <= stages.reached[arm]


def test_a_burst_that_would_come_too_late_ends_its_block() -> None:
    class Counting(Scripted):
        looks = 0

        def now_s(self) -> float:
            self.looks += 1
            return super().now_s()

    clock = Counting()
    load = Load(traffic="bursts", think_s=(10.0, 10.0))
    server = Server(clock, lambda _: 0.0)
    stages = Stage(
        {"pooled": server}, plan(URL, arms=ONE, duration_s=3.0, concurrency=2, load=load), clock
    )
    stages.run()
    assert len(server.started) == 2
    assert clock.looks < 100


@pytest.mark.parametrize("load", [Load(rate=8), Load(rate=8, traffic="bursts")])
def test_all_arms_have_the_same_schedule(load: Load) -> None:
    clock = Scripted()
    servers = {label: Server(clock, lambda _: 0.0625) for label in ("pooled", "unpooled")}
    stages = Stage(servers, plan(URL, requests=40, load=load), clock)
    stages.run()
    for arm in servers:
        blocks: dict[int, list[float]] = {}
        for it in stages.exchanges:
            if it.arm == arm:
                blocks.setdefault(it.round, []).append(it.outcome.began_s)
        assert len(blocks) == 4
        for starts in blocks.values():
            assert [at - starts[0] for at in starts] == [number / 8 for number in range(10)]


def test_a_block_lasts_until_one_more_request_would_start() -> None:
    clock = Scripted()
    servers = {label: Server(clock, lambda _: 0.0625) for label in ("pooled", "unpooled")}
    options = {"load": Load(rate=8), "requests": 40, "duration_s": 3.0}  # two requests a block
    Stage(servers, plan(URL, **options), clock).run()
    starts = sorted(servers["pooled"].started + servers["unpooled"].started)
    assert starts == [number / 8 for number in range(len(starts))]


def test_time_that_is_over_counts_what_was_due_and_sends_no_more_of_it() -> None:
    stages, server = served(lambda _: 1.0, requests=1000, duration_s=3.0, load=Load(rate=10))
    stages.run()
    assert stages.reached == {"pooled": 30}
    assert server.started == [0.0, 1.0, 2.0, 3.0]  # what was due in time, for a second more


def test_time_that_is_over_finds_nothing_left_where_requests_started_in_time() -> None:
    stages, server = served(lambda _: 0.0, requests=1000, duration_s=3.0, load=Load(rate=10))
    stages.run()
    assert stages.reached == {"pooled": 30}
    assert len(server.started) == 30


def test_a_pause_counts_from_the_last_answer_of_the_same_arm() -> None:
    clock = Scripted()
    servers = {label: Server(clock, lambda _: 0.125) for label in ("pooled", "unpooled")}
    Stage(servers, plan(URL, requests=20, load=Load(think_s=(5.0, 5.0))), clock).run()
    for server in servers.values():
        idle = [after - (before + 0.125) for before, after in pairwise(server.started)]
        assert len(idle) == 19
        assert all(5.0 <= it <= 5.25 for it in idle)  # and what is in its way of the other arm


def test_pauses_of_a_range_are_drawn_from_the_seed_alike_for_every_arm() -> None:
    def pauses(seed: int) -> list[float]:
        load, arms = Load(think_s=(1.0, 5.0)), ONE
        stages, server = served(lambda _: 0.0, requests=200, load=load, arms=arms, seed=seed)
        stages.run()
        return [after - before for before, after in pairwise(server.started)]

    drawn = pauses(3)
    assert all(1.0 <= it <= 5.0 for it in drawn)
    assert min(drawn) < 1.2
    assert max(drawn) > 4.8
    assert 2.7 < sum(drawn) / len(drawn) < 3.3  # 4 standard errors of 3
    assert pauses(3) == drawn
    assert pauses(4) != drawn


def test_no_two_workers_of_steady_traffic_begin_together() -> None:
    pauses = Pauses(plan(URL, concurrency=4, load=Load(think_s=(2.0, 2.0))).experiment)
    starts = [pauses.start_s(Turn(0, 0, worker, 10.0, -inf, -inf)) for worker in range(4)]
    assert starts == [10.0, 10.5, 11.0, 11.5]


def test_a_burst_starts_together_and_ends_before_the_next() -> None:
    together = threading.Barrier(4)
    under_way: list[int] = []

    def meeting(index: int) -> Outcome:
        together.wait(PATIENCE_S)  # passes only when four are under way
        under_way.append(index // 4)
        together.wait(PATIENCE_S)
        assert len(set(under_way[-4:])) == 1
        return ANSWERED

    clock = Scripted()
    load = Load(traffic="bursts", think_s=(1.0, 1.0))
    stages = stage(meeting, meeting, clock=clock, requests=40, concurrency=4, load=load)
    stages.run()
    assert len(stages.exchanges) == 80
    assert [it.round for it in stages.exchanges][::8] == list(range(10))
    bursts = sorted(set(clock.waits))
    assert all(after - before <= 1.0 for before, after in pairwise(bursts))


def test_a_burst_gives_each_thread_one_request_however_quick_it_is() -> None:
    slow, quick = threading.Event(), threading.Barrier(3)
    by: list[str] = []

    def answer(index: int) -> Outcome:
        by.append(threading.current_thread().name)
        if index == 0:
            slow.wait(PATIENCE_S)
        elif index < 4 and quick.wait(PATIENCE_S) == 0:
            slow.set()
        return ANSWERED

    stages = stage(answer, requests=8, concurrency=4, arms=ONE, load=Load(traffic="bursts"))
    stages.run()
    assert len(set(by[:4])) == len(set(by[4:])) == 4


def test_a_burst_pauses_after_the_last_answer_of_the_one_before() -> None:
    experiment = plan(URL, concurrency=4, load=Load(traffic="bursts", think_s=(1, 9))).experiment
    bursts = Bursts(experiment)
    starts = {bursts.start_s(Turn(number, number, 0, 0.0, 3.0, 5.0)) for number in range(4, 8)}
    assert len(starts) == 1
    assert 6.0 <= starts.pop() <= 14.0


@pytest.mark.parametrize(
    "load", [Load(rate=0.01), Load(think_s=(60.0, 60.0)), Load(traffic="bursts", think_s=(60, 60))]
)
def test_ctrl_c_wakes_those_who_wait_and_they_send_nothing(load: Load) -> None:
    began = time.monotonic()
    first = threading.Lock()
    clock = Scripted()

    def wait(at_s: float, given_up: threading.Event) -> None:
        assert at_s > 0
        if first.acquire(blocking=False):
            press_ctrl_c()
        assert given_up.wait(30)

    clock.before_wait = wait
    stages = stage(clock=clock, requests=100, concurrency=3, arms=ONE, load=load)
    assert stages.run() is True
    assert time.monotonic() - began < 10
    assert all(it.outcome.failure is None for it in stages.exchanges)
    assert len(stages.exchanges) <= 3


def test_an_arm_that_is_stopped_wakes_those_who_wait_for_it() -> None:
    clock = Scripted()
    clock.before_wait = lambda at_s, given_up: None if at_s < 5 else wait_for(given_up)

    def wait_for(given_up: threading.Event) -> None:
        assert given_up.wait(30)

    stages = stage(
        lambda _: FAILED, clock=clock, requests=100, concurrency=4, arms=ONE, load=Load(rate=1)
    )
    assert stages.run() is False
    assert stages.count("pooled") == 5


def test_keep_going_goes_on_at_its_rate() -> None:
    stages = stage(
        lambda _: FAILED,
        clock=Scripted(),
        requests=50,
        arms=ONE,
        keep_going=True,
        load=Load(rate=1),
    )
    stages.run()
    assert [it.outcome.began_s for it in stages.exchanges] == [float(it) for it in range(50)]


def test_what_is_under_way_at_ctrl_c_counts_from_its_start_on_the_schedule() -> None:
    clock, released = Scripted(), threading.Event()

    def hang(index: int) -> Outcome:
        if index == 3:
            clock.take(2.0)
            press_ctrl_c()
            released.wait(PATIENCE_S)
        return Outcome(clock.now_s(), 0.0, status=200)

    stages = stage(hang, clock=clock, requests=100, arms=ONE, load=Load(rate=2))
    try:
        assert stages.run() is True
    finally:
        released.set()
    last = stages.exchanges[-1].outcome
    assert last.failure is not None
    assert last.failure.kind == "interrupted"
    assert (last.began_s, last.latency_s) == (1.5, 2.0)


def test_closed_load_has_no_pacing_at_all() -> None:
    assert pacing_of(plan(URL).experiment) is None


def test_a_clock_waits_precisely_and_is_woken_at_once() -> None:
    clock, never, now = RunClock(time.perf_counter_ns()), threading.Event(), threading.Event()
    late = []
    for number in range(1, 21):
        clock.wait_until(number / 100, never)
        late.append(clock.now_s() - number / 100)
    assert min(late) >= 0
    assert min(late) < 0.02  # 10 µs on a machine that is idle, half of the time
    now.set()
    clock.wait_until(clock.now_s() + 60, now)
    assert clock.now_s() < 30


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rate": 0.0}, "rate must be from"),
        ({"rate": float("nan")}, "rate must be from"),
        ({"think_s": (2.0, 1.0)}, "the shorter first"),
        ({"think_s": (1.0, 1e6)}, "think time must be"),
        ({"rate": 5.0, "think_s": (1.0, 1.0)}, "give one of them"),
        ({"traffic": "waves"}, "There is no traffic 'waves'"),
    ],
)
def test_a_load_that_makes_no_sense_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Load(**options)  # type: ignore[arg-type]  # wrong on purpose
