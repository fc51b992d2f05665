"""Which sweeps there can be, and that a file keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from support.plans import plan
from support.sweeps import swept

from keepalive_bench import Arm, Experiment, UsageError
from keepalive_bench.plan.document import plan_document, plan_from
from keepalive_bench.plan.load import Load

URL = "http://127.0.0.1/"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (swept(1), "two values"),
        (swept(1, 2) | {"arms": (Arm("pooled", "1", 1), Arm("pooled", "2"))}, "two values"),
        (swept(1, 2) | {"arms": (Arm("pooled", "a", 1), Arm("pooled", "b", 1))}, "all different"),
        (swept(1, 2) | {"arms": (Arm("pooled", "1", 1), Arm("naive", "2", 2))}, "pooled arms"),
        (swept(1, 2, order="sequential"), "take turns"),
        (swept(0, 2), "from 1"),
        (swept(1, 2, sweep="colour"), "no sweep over 'colour'"),
        (swept(1, 2, sweep=None), "sweeps over no option"),
        (swept(1, 2, sweep="concurrency", concurrency=4), "the largest of its values"),
    ],
)
def test_what_is_no_sweep_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Experiment(**options)


def test_a_traffic_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(UsageError, match="'waves'"):
        Load(traffic="waves")  # type: ignore[arg-type]  # as a file may say


@pytest.mark.parametrize("option", ["maxsize", "concurrency", "data-size"])
def test_an_arm_alone_has_its_value_and_everything_else_as_it_is(option: str) -> None:
    whole = plan(URL, **swept(2, 8, sweep=option, concurrency=8, body=b""))
    alone = whole.of_arm(whole.experiment.arms[0])
    threads = 2 if option == "concurrency" else 8
    assert alone.experiment.concurrency == threads
    assert alone.experiment.pool_size == (2 if option == "maxsize" else threads)
    assert alone.request.body == (b"xx" if option == "data-size" else b"")
    assert alone.experiment.load == whole.experiment.load


def test_a_plan_that_sweeps_over_nothing_is_the_same_for_each_arm() -> None:
    whole = plan(URL)
    assert whole.of_arm(whole.experiment.arms[0]) is whole


@pytest.mark.parametrize("traffic", ["bursts", "steady"])
def test_a_file_keeps_the_sweep(traffic: Any) -> None:  # noqa: ANN401  # one of two words
    asked = plan(URL, **swept(1, 4, traffic=traffic, concurrency=4))
    read = plan_from(plan_document(asked)).experiment
    assert (read.sweep, read.load) == ("maxsize", Load(traffic=traffic))
    assert read.arms == asked.experiment.arms
    assert read.rounds == asked.experiment.rounds
