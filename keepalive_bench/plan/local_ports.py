"""Whether this machine's local ports last for a run: arithmetic, and its words."""

from __future__ import annotations

from math import ceil, floor, inf
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from keepalive_bench.plan.arms import Arm
    from keepalive_bench.plan.experiment import Experiment

QUICKEST = 10_000
"""Connections a second that no process of Python's opens by urllib3: a limit above it is none."""
_WHOLE_FROM = 10


class PortUse(NamedTuple):
    """What a run wants of the local ports towards one address, and what there is."""

    peer: str
    ports: int
    """Free ones, of all source addresses together."""
    held_s: float
    """How long a port stays taken after its connection."""
    wanted: float
    """Connections that the run opens and gives up again at most; infinity: no limit."""
    lasting: float
    """How many a second the ports bear to the end of the run."""
    quickest: float
    """How many a second the run opens at most."""

    @property
    def may_run_out(self) -> bool:
        """Whether the ports don't last if the run is as quick as it can be."""
        return self.wanted > self.ports and self.quickest > self.lasting


def connections_wanted(experiment: Experiment) -> float:
    """How many connections the arms open and give up again at most; infinity: no limit."""
    a_request = _ports_a_request(experiment)
    if not a_request:
        return 0
    if not experiment.is_limited:
        return inf
    return ceil(sum(a_request) * experiment.requests) + _warmups(experiment)


def port_use(experiment: Experiment, *, peer: str, free: int, each: int, held_s: float) -> PortUse:
    """What a run wants, against ports that are free.

    `each` says of how many source addresses. Those that connections have which are open at once,
    in all arms, aren't counted as free, nor one for the warm-ups of each: on every source. In a
    limited time, so many may be taken as there are, but for the warm-ups' and the last round's.
    """
    of_arm = experiment.threads + min(experiment.processes, experiment.warmups)
    ports = max(1, free - of_arm * len(experiment.arms) * each)
    lasting = ports / held_s
    if experiment.duration_s is not None:
        # With one for the fence's last post.
        a_request = _ports_a_request(experiment)
        last_round = ceil(sum(a_request) * experiment.block_size) + len(a_request)
        spare = max(ports - _warmups(experiment) - last_round, ports / 2)
        lasting = max(lasting, spare / experiment.duration_s)
    return PortUse(
        peer=peer,
        ports=ports,
        held_s=held_s,
        wanted=connections_wanted(experiment),
        lasting=lasting,
        quickest=min(QUICKEST, _quickest(experiment)),
    )


def checked_use(experiment: Experiment, use: PortUse) -> str | None:
    """What to say before a run whose ports may run out; `None`: they last.

    Raises:
        UsageError: the plan's own rate uses them up.
    """
    if not use.may_run_out:
        return None
    head = f"{use.wanted:,.0f} connections in all, " if use.wanted < inf else ""
    arithmetic = (
        f"{head}{plural(use.ports, 'free local port')} to {printable(use.peer)}, each held for up "
        f"to {use.held_s:g} s: more than {a_second(use.lasting)} would use them up"
    )
    rate = experiment.load.rate
    if rate is not None and experiment.precision is None:
        raise UsageError(
            f"{arithmetic}, and --rate {rate:g}/s opens {a_second(use.quickest)}. Lower --rate, "
            "send fewer --requests, or connect from several addresses (--source-address)."
        )
    a_request = _ports_a_request(experiment)
    fewer = floor((use.ports - _warmups(experiment)) / sum(a_request))
    ways = [f"--requests {fewer}" if fewer > 0 else "fewer --requests", "several --source-address"]
    if rate is not None:
        ways.insert(0, "a lower --rate")
    elif experiment.sweep is None:  # which has no pauses
        pause_ms = ceil(1000 * max(a_request) * experiment.threads / use.lasting)
        ways.insert(0, f"--think-time {pause_ms}ms")
    return (
        f"{arithmetic}, and the run would end then. They last with {', '.join(ways[:-1])} or "
        f"{ways[-1]}."
    )


def a_second(rate: float) -> str:
    """A number of connections a second, never rounded up: `470 a second`, `1.4 a second`."""
    whole = rate >= _WHOLE_FROM
    return f"{floor(rate):,} a second" if whole else f"{floor(rate * 10) / 10:g} a second"


def _ports_a_request(experiment: Experiment) -> list[float]:
    """How many connections, so ports, each arm that gives some up does for each request."""
    found = (_given_up_a_request(experiment, arm) for arm in experiment.arms)
    return [each for each in found if each]


def _given_up_a_request(experiment: Experiment, arm: Arm) -> float:
    """A pool with fewer places than threads throws the rest of each burst's connections away."""
    if arm.is_single_use:
        return 1.0
    if experiment.block or not experiment.load.in_bursts:
        return 0.0
    threads = experiment.threads_of(arm)
    return max(0, threads - experiment.pool_size_of(arm)) / threads


def _quickest(experiment: Experiment) -> float:
    """Connections that a load opens and gives up again in a second; infinity: no limit."""
    load, a_request = experiment.load, _ports_a_request(experiment)
    if load.rate is not None:
        together = sum(a_request) / len(experiment.arms)
        return load.rate * (together if experiment.is_paired else max(a_request, default=0.0))
    if not load.think_s[0]:
        return inf
    return max(a_request, default=0.0) * experiment.threads / load.think_s[0]


def _warmups(experiment: Experiment) -> int:
    """Connections of the warm-ups: one request at a time leaves a pool what it has."""
    return experiment.warmups * sum(arm.is_single_use for arm in experiment.arms)
