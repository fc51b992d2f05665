"""Probes of scripted worlds, and worlds that are drawn by lot."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Literal

from support.scripted_probe import ScriptedTransport, World

from keepalive_bench.plan.plan import Target
from keepalive_bench.plan.probing import ProbePlan, Probing
from keepalive_bench.probe.agenda import extent
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.prober import probe

if TYPE_CHECKING:
    from keepalive_bench.probe.agenda import State
    from keepalive_bench.probe.lives import Life
    from keepalive_bench.probe.probed import Probed

MOST_CONNECTIONS, MOST_REQUESTS = 25, 60
_TICK_S = 0.5
Draw = Literal["closes", "forgets", "anything"]


def plan_of(max_idle_s: float = 130.0, **asked: float) -> ProbePlan:
    """A plan to probe some world."""
    probing = Probing(max_idle_s=max_idle_s, **asked)  # type: ignore[arg-type]  # a count is one, too
    return ProbePlan(Target("http://a.test/"), probing=probing)


def probed(
    world: World, max_idle_s: float = 130.0, stopped_s: float = float("inf"), **asked: float
) -> Probed:
    """What a probe of a world comes to; it never does more than was said before it began."""
    plan = plan_of(max_idle_s, **asked)
    transport = ScriptedTransport(world, stopped_s)
    found = analyse(probe(plan, transport, transport.is_stopped))
    parts = extent(plan).values()
    assert transport.connections <= sum(it.connections for it in parts)
    assert transport.requests <= sum(it.requests for it in parts)
    assert transport.now_s() <= max(it.seconds for it in parts) + _TICK_S
    under_way = transport.requests - found.requests
    assert under_way >= 0
    if not asked:
        assert transport.connections <= MOST_CONNECTIONS
        assert transport.requests <= MOST_REQUESTS
        assert found.record.info.interrupted or not under_way
    return found


def begun(world: World, max_idle_s: float = 130.0, **asked: float) -> list[tuple[float, Life]]:
    """The connections that a probe of a world opens, and when."""
    states: list[State] = []
    transport = ScriptedTransport(world)
    probe(plan_of(max_idle_s, **asked), transport, on_state=states.append)
    found: list[tuple[float, Life]] = []
    for before, state in pairwise(states):
        found += [(before.now_s, it) for it in state.lives[len(before.lives) :]]
    return found


def is_exact(value_s: float | None, true_s: float) -> bool:
    """To 50 ms or 1 %."""
    return value_s is not None and abs(value_s - true_s) <= max(0.05, 0.01 * true_s)


def drawn(seed: int, max_idle_s: float, kind: Draw) -> World:
    """A world by lot.

    One that `closes` and does nothing else, or `forgets` and may close later, or does `anything`.
    """
    lot = Random(seed)  # noqa: S311  # no secrets
    timeouts_s = tuple(lot.uniform(0.05, 1.2 * max_idle_s) for _ in range(lot.choice([0, 1, 1, 2])))
    forgets_s = lot.uniform(1.0, 0.99 * max_idle_s)
    if kind == "forgets":
        timeouts_s = tuple(forgets_s * (1.3 + it / max_idle_s) for it in timeouts_s)
    is_wild, lateness = kind == "anything", lot.choice([0.0, 0.0, 1.0])

    def maybe(chance: float, value: float) -> float | None:
        return value if is_wild and lot.random() < chance else None

    limit = maybe(0.2, lot.randrange(1, 40))
    return World(
        timeouts_s=timeouts_s,
        coarse_s=0.0 if kind == "forgets" else lateness * min(timeouts_s, default=0.0),
        end=lot.choice(["fin", "rst", "408"]),
        forgets_s=forgets_s if kind == "forgets" else maybe(0.5, forgets_s),
        forgets_by=lot.choice(["silence", "rst"]),
        hides_ends=lot.random() < 0.5,
        loses=frozenset({lot.randrange(1, 20)}) if is_wild else frozenset(),
        lifetime_s=maybe(0.2, lot.uniform(0.1, max_idle_s)),
        ages_out_s=maybe(0.2, lot.uniform(0.1, max_idle_s)),
        restarts_s=maybe(0.2, lot.uniform(0.1, 2 * max_idle_s)),
        limit=None if limit is None else round(limit),
        announces=lot.random() < 0.5,
        closes_at_once=is_wild and lot.random() < 0.05,
        one_at_a_time=is_wild and lot.random() < 0.2,
        round_trip_s=lot.choice([0.0002, 0.1, 0.3]),
        race_by=lot.choice(["fin", "rst"]),
        latency_s=lot.choice([0.001, 0.05, 1.0, *([10.0, 29.0, 31.0] if is_wild else [])]),
        slow=lot.choice([(), (), (0.01, 20.0, 0.01), (9.9, 2.9), (12.0, 0.01)]) if is_wild else (),
        answers=not is_wild or lot.random() > 0.03,
        listens=not is_wild or lot.random() > 0.03,
        seed=seed,
    )
