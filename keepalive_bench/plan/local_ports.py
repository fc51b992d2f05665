"""How many connections a second this machine's local ports bear: arithmetic, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from keepalive_bench.plan.experiment import Arm, Experiment

QUICKEST = 10_000
"""Connections a second that no process of Python's opens by urllib3: a limit above it is none."""
_WHOLE_FROM = 10


def ports_a_request(experiment: Experiment, arm: Arm) -> float:
    """How many connections an arm gives up for each request, and with each of them a port.

    A pool with fewer places than threads throws the rest of each burst's away.
    """
    if arm.is_single_use:
        return 1.0
    if experiment.block or not experiment.load.in_bursts:
        return 0.0
    threads = experiment.threads_of(arm)
    return max(0, threads - experiment.pool_size_of(arm)) / threads


def connections_wanted(experiment: Experiment) -> float:
    """How many connections the arms open and give up again at most; infinity: no limit."""
    a_request = _a_request(experiment)
    if not a_request:
        return 0
    if not experiment.is_limited:
        return inf
    return ceil(sum(a_request) * experiment.requests) + _warmups(experiment)


@dataclass(frozen=True, kw_only=True)
class PortUse:
    """What a run wants of the local ports towards one address, and what there is."""

    peer: str
    ports: int
    """Free ones, of all source addresses together."""
    held_s: float
    """How long a port stays taken after its connection."""
    wanted: float
    """Connections that the run opens at most; infinity: no limit."""
    span_s: float
    """How long it opens them at most; infinity: no limit."""
    besides: int = 0
    """Connections that a run of a limited time opens before its beginning and after its end."""
    quickest: float = QUICKEST
    """How many a second it opens at most."""

    @property
    def per_second(self) -> float | None:
        """How many a second the ports bear to the end of the run; `None`: any number."""
        if self.wanted <= self.ports:
            return None
        spare = max(self.ports - self.besides, self.ports / 2)
        lasting = max(self.ports / self.held_s, spare / self.span_s)
        return None if lasting >= self.quickest else lasting


def port_use(experiment: Experiment, *, peer: str, free: int, each: int, held_s: float) -> PortUse:
    """What a run wants, against ports that are free.

    `each` says of how many source addresses. Those that connections have which are open at once,
    in all arms, aren't counted as free, nor one for the warm-ups of each: on every source.
    """
    of_arm = experiment.threads + min(experiment.processes, experiment.warmups)
    # What is warmed up, and the round in which time is over; with one for the fence's last post.
    a_request = _a_request(experiment)
    last_round = ceil(sum(a_request) * experiment.block_size) + len(a_request)
    return PortUse(
        peer=peer,
        ports=max(1, free - of_arm * len(experiment.arms) * each),
        held_s=held_s,
        wanted=connections_wanted(experiment),
        span_s=inf if experiment.duration_s is None else experiment.duration_s,
        besides=_warmups(experiment) + last_round,
        quickest=min(QUICKEST, _quickest(experiment)),
    )


def _quickest(experiment: Experiment) -> float:
    """Connections that a load opens and gives up again in a second; infinity: no limit."""
    load = experiment.load
    if load.rate is not None:
        return load.rate * _share(experiment)
    if not load.think_s[0]:
        return inf
    return max(_a_request(experiment), default=0.0) * experiment.threads / load.think_s[0]


def _share(experiment: Experiment) -> float:
    """Connections opened and given up again, for each request in any longer time."""
    a_request = _a_request(experiment)
    if experiment.is_paired:
        return sum(a_request) / len(experiment.arms)
    return max(a_request, default=0.0)


def _a_request(experiment: Experiment) -> list[float]:
    """`ports_a_request` of each arm that gives connections up."""
    found = (ports_a_request(experiment, arm) for arm in experiment.arms)
    return [each for each in found if each]


def _warmups(experiment: Experiment) -> int:
    """Connections of the warm-ups: one request at a time leaves a pool what it has."""
    return experiment.warmups * sum(arm.is_single_use for arm in experiment.arms)


class Pace(NamedTuple):
    """How a run is slowed, so that ports last."""

    per_second: float
    """Connections opened and given up again, of all arms together."""
    spacing_s: float
    """From one burst to the next, of whatever arm; steady traffic's bursts are of one request."""
    burst: int
    """Requests that start together."""
    ports: int
    """What such connections may take within `held_s` of their ends, those under way included."""
    held_s: float

    def share_of(self, processes: int) -> Pace:
        """The pace of each of several processes, which together keep this one."""
        burst = max(1, self.burst // processes)
        return self._replace(
            per_second=self.per_second / processes,
            spacing_s=self.spacing_s * processes * burst / self.burst,
            burst=burst,
            ports=max(1, self.ports // processes),
        )


def pace_of(experiment: Experiment, use: PortUse | None) -> Pace | None:
    """How a run has to be slowed; `None`: it needn't be, or mustn't.

    A schedule of the load's own isn't slowed: `ports_for` refuses it.

    All arms are spaced alike. While only one arm were, another would be measured under more load,
    with a processor that hasn't slept, and with what it needs still in the caches.
    """
    if use is None or use.per_second is None or not experiment.pace:
        return None
    burst_size = experiment.burst_size
    return Pace(
        per_second=use.per_second,
        spacing_s=burst_size * _share(experiment) / use.per_second,
        burst=burst_size,
        ports=use.ports + experiment.threads,
        held_s=use.held_s,
    )


def arithmetic(use: PortUse) -> str:
    """`50,000 connections in all, 28,230 free local ports to …, each held for 66 s`."""
    head = f"{use.wanted:,.0f} connections in all, " if use.wanted < inf else ""
    return (
        f"{head}{plural(use.ports, 'free local port')} to {printable(use.peer)}, each held for up "
        f"to {use.held_s:g} s"
    )


def slowed(experiment: Experiment, use: PortUse, per_second: float) -> str:
    """What is said before a run that will be slowed."""
    arms = [arm.label for arm in experiment.arms if ports_a_request(experiment, arm)]
    names, several = " and ".join(arms), len(arms) > 1
    if experiment.sweep is not None:
        which = f"{experiment.sweep} {names}{' together' * several} {'are' if several else 'is'}"
    else:
        which = f"the arms {names} together are" if several else f"the {names} arm is"
    quicker = "if they are quicker" if several else "if it is quicker"
    alike = ", and the others wait alike" if len(arms) < len(experiment.arms) else ""
    return f"{arithmetic(use)}: {which} slowed to {a_second(per_second)} {quicker}{alike}."


def endangered(use: PortUse, per_second: float) -> str:
    """What is said before a run that isn't slowed, and may end before its ports do."""
    return (
        f"{arithmetic(use)}: more than {a_second(per_second)} would use them up, and "
        "--no-pace lets that happen."
    )


def refused(experiment: Experiment, use: PortUse, per_second: float) -> str:
    """Why a run isn't begun that may not be slowed, and what to do."""
    lasting = f"{arithmetic(use)}: more than {a_second(per_second)} would use them up"
    elsewhere = "or connect from several addresses (--source-address)"
    if experiment.load.rate is None:
        return (
            f"{lasting}, and --no-pace forbids to slow the run. Leave --no-pace out, send fewer "
            f"--requests, {elsewhere}."
        )
    return (
        f"{lasting}, and --rate {experiment.load.rate:g}/s opens {a_second(use.quickest)}. Lower "
        f"--rate, send fewer --requests, {elsewhere}."
    )


def a_second(rate: float) -> str:
    """A number of connections a second, never rounded up: `470 a second`, `1.4 a second`."""
    whole = rate >= _WHOLE_FROM
    return f"{floor(rate):,} a second" if whole else f"{floor(rate * 10) / 10:g} a second"
