"""What two runs don't have in common, besides what they measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.comparison import SAME, distance
from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.compare.change import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.compare.change import ArmChange, Source

HARMLESS = {
    "requests",
    "duration_s",
    "precision",
    "rounds",
    "seed",
    "warmup",
    "keep_going",
    "order_given",
    "confidence",
    "margin",
    "requirements",
    "timeout_s",
    "connect_timeout_s",
    "ca_file",
    "cert_file",
    "key_file",
    "source_addresses",
}
"""What of a plan changes neither what is sent nor how: how often, for how long, how it is judged,
and where this machine keeps its files. All else matters, whatever is added to plans."""


def differences(base: Source, new: Source, arms: Sequence[ArmChange]) -> Iterator[Difference]:
    """Field by field: what was asked for, by what machine, and what was answered."""
    for name, before, after in _unequal(_flat(base.plan), _flat(new.plan)):
        matters = name not in HARMLESS
        yield Difference("plan", name, before, after, matters)
    machines = (asdict(source.run.environment) for source in (base, new))
    for name, before, after in _unequal(*machines):
        yield Difference("environment", name, before, after, matters=False)
    courses = (source.run.run_info.interrupted for source in (base, new))
    for name, before, after in _unequal(*({"interrupted": it} for it in courses)):
        yield Difference("run_info", name, before, after, matters=False)
    for arm in arms:
        yield from _answers(arm)


def _flat(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan with the members of its members beside the others: `parameters.fields`."""
    found: dict[str, Any] = {}
    for name, value in plan.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": it for inner, it in value.items()}
        else:
            found[name] = value
    return found


def _unequal(base: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*base, *new]):
        if base.get(name) != new.get(name):
            yield name, base.get(name), new.get(name)


def _answers(arm: ArmChange) -> Iterator[Difference]:
    """Other answers take other times; that there are more errors is for the verdict to say."""
    base, new = (_good(it) for it in (arm.base, arm.new))
    if base and new and distance(base, new) > SAME:
        name = f"{arm.label}.status_codes"
        before, after = ({str(code): n for code, n in it.items()} for it in (base, new))
        yield Difference("answers", name, before, after, matters=True)
    if arm.base.succeeded and arm.new.succeeded:
        sizes = [it.bytes_received / it.sent for it in (arm.base, arm.new)]
        if abs(sizes[0] - sizes[1]) > SAME * max(sizes):
            name = f"{arm.label}.mean_body_bytes"
            yield Difference("answers", name, sizes[0], sizes[1], matters=False)


def _good(arm: ArmSummary) -> dict[int, int]:
    return {status: count for status, count in arm.status_codes.items() if status < ERROR_FROM}
