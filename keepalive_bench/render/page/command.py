"""The command that would make such a run again, as far as it can be shown."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from keepalive_bench.model.experiment import SWEPT
from keepalive_bench.model.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.model.plan import Arm

_Option = tuple[str, object, object]
"""How it is spelled, what it was, and what it is when nothing is said."""


def command(plan: Plan) -> str:
    """`kab run URL …`, with what differs from kab's defaults, but for what the requests carried.

    That may be secret, and isn't in a stored run.
    """
    experiment = _experiment if plan.experiment.sweep is None else _sweep
    words = ["kab", "run" if experiment is _experiment else "sweep", plan.target.shown]
    for spelling, value, usual in (*_extent(plan), *experiment(plan), *_rest(plan), *_way(plan)):
        if value is True and not usual:
            words.append(spelling)
        elif value is not None and value != usual:
            words += [spelling, f"{value:g}" if isinstance(value, float) else f"{value}"]
    return shlex.join(words)


def _extent(plan: Plan) -> Iterator[_Option]:
    asked = plan.experiment
    yield "-n", asked.requests if asked.is_limited else None, None
    yield "-z", None if asked.duration_s is None else f"{asked.duration_s:g}s", None


def _experiment(plan: Plan) -> Iterator[_Option]:
    asked, usual = plan.experiment, Plan(plan.target).experiment
    yield "--precision", None if asked.precision is None else f"{100 * asked.precision:g}%", None
    yield "-c", asked.concurrency, usual.concurrency
    yield "--maxsize", asked.pool_size, asked.concurrency
    yield "--block", asked.block, usual.block
    if asked.arms != usual.arms:
        for arm in asked.arms:
            yield "--arm", _arm(arm), None
    yield "--order", asked.order, usual.order


def _sweep(plan: Plan) -> Iterator[_Option]:
    asked, values = plan.experiment, ",".join(arm.label for arm in plan.experiment.arms)
    for option in SWEPT:
        if option == asked.sweep:
            yield f"--{option}", values, None
        elif option == "concurrency":
            yield "--concurrency", asked.concurrency, None
        elif option == "maxsize":
            yield "--maxsize", asked.pool_size, asked.concurrency
    yield "--block", asked.block, False
    yield "--traffic", asked.load.traffic, None


def _rest(plan: Plan) -> Iterator[_Option]:
    asked, usual = plan.experiment, Plan(plan.target).experiment
    yield "--warmup", asked.warmup, usual.warmup
    yield "--keep-going", asked.keep_going, usual.keep_going
    yield "--confidence", plan.judgement.confidence, Plan(plan.target).judgement.confidence
    yield "--margin", plan.judgement.margin, Plan(plan.target).judgement.margin
    for requirement in plan.judgement.requirements:
        yield "--require", requirement, None
    yield "--seed", asked.seed, None


def _arm(arm: Arm) -> str:
    return arm.kind if arm.label == arm.kind else f"{arm.label}={arm.kind}"


def _way(plan: Plan) -> Iterator[_Option]:
    network, usual = plan.network, Plan(plan.target).network
    yield "-X", plan.request.method, "GET"
    yield "--timeout", network.timeout_s, usual.timeout_s
    yield "--connect-timeout", network.connect_timeout_s, None
    yield "--proxy", None if network.proxy is None else network.proxy.origin, None
    yield "--unix-socket", network.unix_socket, None
    if network.ip_version is not None:
        yield f"-{network.ip_version}", True, False
    yield "--insecure", not plan.tls.verify, False
