"""A run may end by time, or by a rule, in place of a number of requests."""

from __future__ import annotations

import pytest
from support.fakes import failing, stage
from support.plans import run

from keepalive_bench import Arm, Experiment, UsageError, analyse
from keepalive_bench.engine.schedule import schedule, until
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings


def test_a_round_is_finished_before_a_run_ends() -> None:
    ends = iter([False, False, True])
    blocks = list(until(schedule(Experiment(duration_s=1.0, seed=7)), lambda: next(ends)))
    assert [block.round for block in blocks] == [0, 0, 1, 1, 2, 2]
    assert sorted(block.arm for block in blocks[-2:]) == ["pooled", "unpooled"]


def test_arms_that_don_t_take_turns_share_the_time() -> None:
    # The clock of the stage ticks whenever it is read: twice a request, and when a block begins.
    stages = stage(duration_s=200.0, order="sequential")
    assert stages.run() is False
    arms = [arm for arm, _ in stages.order]
    assert arms == sorted(arms)
    assert stages.count("pooled") == stages.count("unpooled") == 50
    assert stages.reached == {"pooled": 50, "unpooled": 50}


def test_the_requests_of_a_round_count_as_due() -> None:
    stages = stage(requests=20, duration_s=1e6)
    stages.run()
    assert stages.reached == {"pooled": 20, "unpooled": 20}


def test_a_server_that_never_answers_ends_a_run_before_its_time() -> None:
    stages = stage(failing, failing, duration_s=1e6)
    assert stages.run() is False
    assert (stages.count("pooled"), stages.count("unpooled")) == (5, 5)


@pytest.mark.parametrize(
    "options",
    [{}, {"concurrency": 2}, {"concurrency": 2, "maxsize": 1}],
    ids=["pairs", "blocks", "sequential"],
)
def test_a_duration_is_kept_and_nothing_is_left_unsent(options: dict[str, object]) -> None:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.005))) as server:
        measured = run(server.url, duration_s=0.4, **options)
        accepted = server.stop().accepts
    analysis = analyse(measured)
    assert measured.run_info.wall_s >= 0.4
    assert all(arm.not_sent == arm.failed == 0 for arm in analysis.arms)
    assert sum(arm.succeeded for arm in analysis.arms) == len(measured.exchanges) > 4
    warmups = sum(warmup.connections for warmup in measured.warmup.values())
    assert accepted == len(measured.connections) + warmups


def test_a_number_of_requests_ends_a_run_before_its_time() -> None:
    with ServerProcess() as server:
        measured = run(server.url, duration_s=60.0, requests=4)
    assert [arm.requests for arm in analyse(measured).arms] == [4, 4]


def test_a_precision_ends_a_run_when_it_is_reached() -> None:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.002))) as server:
        measured = run(server.url, precision=0.5)
    due = measured.run_info.requests
    assert due is not None
    assert 50 < due["pooled"] == due["unpooled"] < 10_000


@pytest.mark.parametrize("options", [{"duration_s": 0.0}, {"precision": 0.0}])
def test_what_makes_no_sense_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Experiment(**options)  # type: ignore[arg-type]  # any option


def test_a_precision_needs_arms_that_take_turns() -> None:
    for experiment in (
        {"order": "sequential"},
        {"arms": (Arm("pooled"),)},
        {"concurrency": 4, "maxsize": 1},
    ):
        with pytest.raises(UsageError, match="take turns"):
            Experiment(precision=0.02, **experiment)


def test_the_number_of_requests_is_what_the_end_of_the_run_lets_it_be() -> None:
    assert Experiment().requests == 50
    assert Experiment(precision=0.02).requests == 10_000
    assert not Experiment(duration_s=1).is_limited
    assert Experiment(duration_s=1, requests=7).requests == 7
