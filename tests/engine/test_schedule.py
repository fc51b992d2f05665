"""Who goes when: properties that hold for every plan."""

from __future__ import annotations

from collections import Counter
from itertools import chain, groupby, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalive_bench import Arm, Experiment, Load
from keepalive_bench.engine.schedule import Block, schedule

if TYPE_CHECKING:
    from keepalive_bench.plan.experiment import Order

orders: st.SearchStrategy[Order | None] = st.sampled_from([None, "paired", "sequential"])
loads = st.sampled_from(
    [
        Load(),
        Load(rate=100.0),
        Load(rate=100.0, traffic="bursts"),
        Load(traffic="bursts"),
        Load(think_s=(1.0, 2.0)),
        Load(think_s=(1.0, 2.0), traffic="bursts"),
    ]
)
experiments = st.builds(
    lambda requests, concurrency, maxsize, count, order, load, seed: Experiment(
        requests=requests,
        concurrency=concurrency,
        maxsize=maxsize,
        arms=tuple(Arm("pooled", f"arm{number}") for number in range(count)),
        order=order,
        load=load,
        seed=seed,
    ),
    st.integers(1, 500),
    st.integers(1, 20),
    st.none() | st.integers(1, 20),
    st.integers(1, 4),
    orders,
    loads,
    st.integers(0, 2**32),
)


def rounds(experiment: Experiment) -> list[list[Block]]:
    return [list(blocks) for _, blocks in groupby(schedule(experiment), lambda it: it.round)]


@settings(max_examples=40)
@given(experiments)
def test_each_arm_gets_every_index_once_and_in_order(experiment: Experiment) -> None:
    for label in experiment.labels:
        blocks = [block.indexes for block in schedule(experiment) if block.arm == label]
        assert list(chain.from_iterable(blocks)) == list(range(experiment.requests))


@settings(max_examples=40)
@given(experiments)
def test_a_round_has_one_block_of_each_arm_with_the_same_indexes(experiment: Experiment) -> None:
    for number, blocks in enumerate(rounds(experiment)):
        assert sorted(block.arm for block in blocks) == sorted(experiment.labels)
        assert {(block.round, block.indexes) for block in blocks} == {(number, blocks[0].indexes)}


@settings(max_examples=40)
@given(experiments)
def test_the_same_seed_gives_the_same_order(experiment: Experiment) -> None:
    assert list(schedule(experiment)) == list(schedule(experiment))


@settings(max_examples=40)
@given(experiments)
def test_blocks_of_many_rounds_are_long_enough(experiment: Experiment) -> None:
    if not experiment.is_paired:
        assert len(rounds(experiment)) == 1
    elif len(rounds(experiment)) > 1:
        shortest = min(len(block.indexes) for block in schedule(experiment))
        assert shortest >= least(experiment)


def least(experiment: Experiment) -> int:
    """Requests of a block."""
    threads, load = experiment.concurrency, experiment.load
    if load.is_open or not (threads == 1 or load.in_bursts):
        return 10 * threads
    return threads


@settings(max_examples=40)
@given(experiments)
def test_no_burst_is_parted(experiment: Experiment) -> None:
    if experiment.load.in_bursts:
        starts = {block.indexes.start % experiment.concurrency for block in schedule(experiment)}
        assert starts == {0}


@settings(max_examples=40)
@given(experiments)
def test_there_are_as_many_rounds_as_that_leaves(experiment: Experiment) -> None:
    if experiment.is_paired:
        assert len(rounds(experiment)) == max(1, experiment.requests // least(experiment))


@settings(max_examples=40)
@given(experiments)
def test_a_sequential_schedule_keeps_the_order_in_which_arms_were_named(
    experiment: Experiment,
) -> None:
    if not experiment.is_paired:
        assert tuple(block.arm for block in schedule(experiment)) == experiment.labels


def test_several_processes_end_one_arm_before_any_begins_the_next() -> None:
    blocks = [*schedule(Experiment(requests=9, processes=3, order="sequential"))]
    assert [(block.arm, len(block.indexes)) for block in blocks] == [
        *(("pooled", 9), ("unpooled", 0), ("unpooled", 9)),
    ]


def test_one_at_a_time_a_round_is_a_pair() -> None:
    experiment = Experiment(requests=50, seed=1)
    assert len(rounds(experiment)) == 50
    assert all(len(block.indexes) == 1 for block in schedule(experiment))


def test_a_pool_smaller_than_the_concurrency_is_sequential_unless_asked_otherwise() -> None:
    small = Experiment(requests=1000, concurrency=4, maxsize=2)
    assert len(rounds(small)) == 1
    assert len(rounds(Experiment(requests=1000, concurrency=4, maxsize=2, order="paired"))) == 25


@pytest.mark.parametrize(
    ("load", "options", "is_paired"),
    [
        (Load(think_s=(1, 1)), {"concurrency": 2}, False),
        (Load(think_s=(1, 1)), {"concurrency": 1}, True),
        (Load(think_s=(1, 1), traffic="bursts"), {"concurrency": 2}, True),
        (Load(traffic="bursts"), {"concurrency": 8, "maxsize": 1}, True),
        (Load(rate=5), {"concurrency": 8, "maxsize": 1}, False),
        (Load(think_s=(1, 1)), {"concurrency": 2, "order": "paired"}, True),
    ],
)
def test_arms_take_turns_where_the_ends_of_blocks_change_nothing(
    load: Load, options: dict[str, Any], *, is_paired: bool
) -> None:
    assert Experiment(load=load, **options).is_paired is is_paired


def test_a_block_of_an_open_load_lasts_a_tenth_of_a_second_or_less_than_its_share() -> None:
    assert Experiment(load=Load(rate=5000)).block_size == 500
    assert Experiment(load=Load(rate=50), concurrency=4).block_size == 40
    # Two arms, six rounds each, in 3 s: a quarter of a second.
    assert Experiment(load=Load(rate=50), concurrency=4, duration_s=3).block_size == 13
    assert Experiment(load=Load(rate=1), concurrency=4, duration_s=3).block_size == 1


def test_either_arm_goes_first_about_as_often_and_in_no_pattern() -> None:
    firsts = [blocks[0].arm for blocks in rounds(Experiment(requests=1000, seed=3))]
    # A fair coin's count lies within 4 standard deviations, 16 each, but for once in 16,000 seeds.
    assert abs(Counter(firsts)["pooled"] - 500) < 64
    changes = sum(one != other for one, other in pairwise(firsts))
    assert abs(changes - 500) < 64


def test_every_order_of_three_arms_comes_up() -> None:
    arms = tuple(Arm("pooled", label) for label in "abc")
    seen = Counter(
        tuple(block.arm for block in blocks)
        for blocks in rounds(Experiment(requests=600, arms=arms, seed=3))
    )
    assert len(seen) == 6
    assert min(seen.values()) > 50


def test_another_seed_gives_another_order() -> None:
    orders = {
        tuple(block.arm for block in schedule(Experiment(requests=50, seed=seed)))
        for seed in range(20)
    }
    assert len(orders) == 20
