"""How many connections a second the local ports bear, worked out by hand."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from support.sweeps import swept

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.arms import Arm
from keepalive_bench.plan.experiment import Experiment
from keepalive_bench.plan.load import Load
from keepalive_bench.plan.local_ports import (
    PortUse,
    a_second,
    checked_use,
    connections_wanted,
    port_use,
)

if TYPE_CHECKING:
    from keepalive_bench.plan.experiment import Order

BURSTS = {"maxsize": 1, "concurrency": 8, "load": Load(traffic="bursts")}
FREE = 28_232
"""Linux's usual range, 32768 to 60999."""


def use(experiment: Experiment, *, free: int = FREE, held_s: float = 60.0) -> PortUse:
    return port_use(experiment, peer="10.0.0.1:80", free=free, each=1, held_s=held_s)


def of(**options: Any) -> Experiment:  # noqa: ANN401  # an Experiment's
    return Experiment(**{"requests": 50_000, "warmup": 0, **options})


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, 50_000),
        ({"warmup": 2}, 50_002),
        ({"arms": (Arm("pooled"),)}, 0),
        ({"arms": (Arm("pooled"), Arm("unpooled"), Arm("naive"))}, 100_000),
        ({"arms": (Arm("pooled"),), "maxsize": 1, "concurrency": 8, "warmup": 2}, 0),
        ({"arms": (Arm("pooled"),), **BURSTS, "warmup": 2}, 50_000 * 7 / 8),
        ({**BURSTS, "warmup": 2}, 50_000 * 15 / 8 + 2),
        ({**BURSTS, "block": True}, 50_000),
        ({**BURSTS, "maxsize": 8}, 50_000),
        (swept(1, 4, 8, 16, concurrency=8), 50_000 * (7 + 4) / 8),
        (swept(1, 4, sweep="concurrency", concurrency=4, maxsize=2), 50_000 * 2 / 4),
    ],
)
def test_each_request_of_an_arm_that_keeps_no_connection_takes_a_port(
    options: dict[str, Any], wanted: int
) -> None:
    assert connections_wanted(of(**options)) == wanted


def test_a_duration_alone_limits_no_number() -> None:
    assert connections_wanted(Experiment(duration_s=10)) == inf


def test_the_rate_that_lasts_is_the_free_ports_by_the_time_each_is_held() -> None:
    assert use(of()).lasting == (FREE - 2) / 60


def test_as_many_as_there_are_ports_last() -> None:
    assert not use(of(requests=28_230)).may_run_out
    assert use(of(requests=28_231)).may_run_out


def test_ports_that_are_free_again_sooner_than_python_takes_them_last() -> None:
    assert not use(of(), held_s=1.0).may_run_out


def test_a_run_shorter_than_a_port_is_held_may_use_all_but_what_it_needs_besides() -> None:
    # Besides: the pair in which time is over, and both ends of the time.
    assert use(Experiment(duration_s=10, warmup=0)).lasting == (FREE - 2 - 2) / 10
    # A warm-up of each arm leaves a port in TIME_WAIT, and one of the unpooled arm is besides.
    assert use(Experiment(duration_s=10, warmup=1)).lasting == (FREE - 4 - 3) / 10
    assert use(Experiment(duration_s=600, warmup=0)).lasting == (FREE - 2) / 60


@pytest.mark.parametrize(
    ("slow", "quick", "order"),
    [
        (Load(rate=900), Load(rate=1000), "paired"),
        (Load(rate=400), Load(rate=500), "sequential"),
        (Load(think_s=(0.01, 0.02)), Load(think_s=(0.001, 0.02)), "paired"),
    ],
)
def test_ports_last_for_a_load_that_is_slow_enough(slow: Load, quick: Load, order: Order) -> None:
    assert not use(of(load=slow, order=order)).may_run_out
    assert use(of(load=quick, order=order)).may_run_out


def test_a_run_whose_ports_last_is_not_mentioned() -> None:
    experiment = of(requests=28_230)
    assert checked_use(experiment, use(experiment)) is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "They last with --think-time 3ms, --requests 28230 or several --source-address."),
        (BURSTS, "They last with --think-time 18ms, --requests 15048 or several --source-address."),
        (swept(1, 8, concurrency=8), "They last with --requests 32246 or several --source-address"),
        (
            {"load": Load(rate=1000), "precision": 0.05},
            "They last with a lower --rate, --requests 28230 or several --source-address.",
        ),
    ],
)
def test_what_would_last_is_said_before(options: dict[str, Any], text: str) -> None:
    experiment = of(**options)
    said = checked_use(experiment, use(experiment))
    assert said is not None
    assert text in said
    assert "more than 470 a second would use them up, and the run would end then" in said


@pytest.mark.parametrize(
    "options",
    [
        {"load": Load(think_s=(0.003, 0.003))},
        {"requests": 28_230},
        {**BURSTS, "load": Load(traffic="bursts", think_s=(0.018, 0.018))},
        {**BURSTS, "requests": 15_048},
    ],
)
def test_what_is_said_to_last_does(options: dict[str, Any]) -> None:
    assert not use(of(**options)).may_run_out


def test_a_rate_that_uses_ports_up_is_refused() -> None:
    experiment = of(load=Load(rate=1000))
    with pytest.raises(UsageError) as refused:
        checked_use(experiment, use(experiment))
    assert str(refused.value) == (
        "50,000 connections in all, 28,230 free local ports to 10.0.0.1:80, each held for up to "
        "60 s: more than 470 a second would use them up, and --rate 1000/s opens 500 a second. "
        "Lower --rate, send fewer --requests, or connect from several addresses (--source-address)."
    )


def test_a_rate_is_never_rounded_up() -> None:
    assert [a_second(rate) for rate in (470.9, 1234.5, 1.49)] == [
        "470 a second",
        "1,234 a second",
        "1.4 a second",
    ]
