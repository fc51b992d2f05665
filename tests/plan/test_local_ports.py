"""How many connections a second the local ports bear, worked out by hand."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from support.sweeps import swept

from keepalive_bench.plan.experiment import Arm, Experiment
from keepalive_bench.plan.load import Load
from keepalive_bench.plan.local_ports import (
    PortUse,
    a_second,
    connections_wanted,
    pace_of,
    port_use,
    refused,
    slowed,
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
    experiment = of()
    needed = use(experiment)
    assert needed.per_second == (FREE - 2) / 60
    assert slowed(experiment, needed, (FREE - 2) / 60) == (
        "50,000 connections in all, 28,230 free local ports to 10.0.0.1:80, each held for up to "
        "60 s: the unpooled arm is slowed to 470 a second if it is quicker, and the others wait "
        "alike."
    )
    assert refused(experiment, needed, (FREE - 2) / 60).startswith(
        "50,000 connections in all, 28,230 free local ports to 10.0.0.1:80, each held for up to "
        "60 s: more than 470 a second would use them up, and --no-pace"
    )


def test_as_many_as_there_are_ports_need_no_slowing() -> None:
    assert use(of(requests=28_230)).per_second is None
    assert use(of(requests=28_231)).per_second is not None


def test_ports_that_are_free_again_sooner_than_python_takes_them_need_none_either() -> None:
    assert use(of(), held_s=1.0).per_second is None


def test_a_run_shorter_than_a_port_is_held_may_use_all_but_what_it_needs_besides() -> None:
    # Besides: the pair in which time is over, and both ends of the time.
    assert use(Experiment(duration_s=10, warmup=0)).per_second == (FREE - 2 - 2) / 10
    # A warm-up of each arm leaves a port in TIME_WAIT, and one of the unpooled arm is besides.
    assert use(Experiment(duration_s=10, warmup=1)).per_second == (FREE - 4 - 3) / 10
    assert use(Experiment(duration_s=600, warmup=0)).per_second == (FREE - 2) / 60


@pytest.mark.parametrize(
    ("slow", "quick", "order"),
    [
        (Load(rate=900), Load(rate=1000), "paired"),
        (Load(rate=400), Load(rate=500), "sequential"),
        (Load(think_s=(0.01, 0.02)), Load(think_s=(0.001, 0.02)), "paired"),
    ],
)
def test_a_load_that_is_slow_enough_by_itself_needs_no_slowing(
    slow: Load, quick: Load, order: Order
) -> None:
    assert use(of(load=slow, order=order)).per_second is None
    assert use(of(load=quick, order=order)).per_second is not None


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            (1, 8),
            ": maxsize 1 is slowed to 470 a second if it is quicker, and the others wait alik",
        ),
        ((1, 2), ": maxsize 1 and 2 together are slowed to 470 a second if they are quicker."),
    ],
)
def test_values_of_a_sweep_that_are_slowed_are_named(values: tuple[int, ...], text: str) -> None:
    experiment = of(**swept(*values, concurrency=8))
    assert text in slowed(experiment, use(experiment), 470.5)


def test_a_rate_that_does_not_last_is_refused_in_its_own_words() -> None:
    experiment = of(load=Load(rate=1000))
    text = refused(experiment, use(experiment), 470.5)
    assert "--rate 1000/s opens 500 a second. Lower --rate" in text


@pytest.mark.parametrize(
    ("options", "share", "burst"),
    [
        ({}, 1 / 2, 1),
        ({"order": "sequential"}, 1, 1),
        ({"arms": (Arm("unpooled"),)}, 1, 1),
        ({"arms": (Arm("pooled"), Arm("unpooled"), Arm("naive"))}, 2 / 3, 1),
        ({"concurrency": 4, "load": Load(traffic="bursts")}, 4 / 2, 4),
        (swept(1, 8, concurrency=8), 7 / 2, 8),
        ({**BURSTS, "order": "sequential"}, 8, 8),
    ],
)
def test_all_arms_are_spaced_alike_so_that_so_many_connections_come_of_it(
    options: dict[str, Any], share: float, burst: int
) -> None:
    experiment = of(**options)
    pace = pace_of(experiment, use(experiment))
    assert pace is not None
    assert pace.spacing_s == pytest.approx(share / pace.per_second)
    assert pace.burst == burst


def test_a_run_that_must_not_be_slowed_has_no_pace() -> None:
    experiment = of(pace=False)
    assert pace_of(experiment, use(experiment)) is None
    assert pace_of(of(), None) is None


def test_a_rate_is_never_rounded_up() -> None:
    assert [a_second(rate) for rate in (470.9, 1234.5, 1.49)] == [
        "470 a second",
        "1,234 a second",
        "1.4 a second",
    ]
