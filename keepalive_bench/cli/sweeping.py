"""From what the options of a sweep say to its plan."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keepalive_bench.cli import inputs
from keepalive_bench.cli.planning import plan_of
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.experiment import SWEPT, Arm, Experiment, Swept
from keepalive_bench.plan.load import Load
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from keepalive_bench.plan.load import Traffic
    from keepalive_bench.plan.plan import Plan

_BURSTS, _STEADY_PER_THREAD = 50, 100
_BINARY = "application/octet-stream"
_NUMBER = re.compile(r"[0-9]{1,9}")
_SIZE = re.compile(r"([0-9]{1,9})(B|kB|MB|KiB|MiB|)")
_BYTES = {"": 1, "B": 1, "kB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2}
_Values = dict[str, int]
"""By what the user called them."""


def sweep_plan(url: str, traffic: Traffic, **given: Any) -> Plan:  # noqa: ANN401  # Click's own values
    """The plan of a sweep.

    Raises:
        UsageError: not exactly one option has several values, or something else makes no sense.
    """
    values = {option: _values(given[option.replace("-", "_")], option) for option in SWEPT}
    if all(len(several) <= 1 for several in values.values()) and not values["maxsize"]:
        values["maxsize"] = _doubled(max(values["concurrency"].values()))
    swept = _swept(values)
    if values["data-size"] and swept != "data-size":
        raise UsageError("--data-size is for a sweep over it: one body goes with --data.")
    concurrency = max(values["concurrency"].values())
    usual = concurrency * (_BURSTS if traffic == "bursts" else _STEADY_PER_THREAD)
    optional = {"seed": given["seed"]} if given["seed"] is not None else {}
    if given["requests"] is not None or given["duration"] is None:
        optional["requests"] = usual if given["requests"] is None else given["requests"]
    sizes = values["maxsize"]
    experiment = Experiment(
        duration_s=None if given["duration"] is None else inputs.parse_duration(given["duration"]),
        concurrency=concurrency,
        maxsize=None if swept == "maxsize" or not sizes else max(sizes.values()),
        block=given["block"],
        arms=tuple(Arm("pooled", label, value) for label, value in values[swept].items()),
        order="paired",
        warmup=given["warmup"],
        keep_going=given["keep_going"],
        load=Load(traffic=traffic),
        sweep=swept,
        **optional,
    )
    plan = plan_of(url, experiment, given)
    return _with_body(plan, given) if swept == "data-size" else plan


def _doubled(concurrency: int) -> _Values:
    """What to try where nothing is said: powers of two, the concurrency, and twice as much."""
    powers = [2**power for power in range(concurrency.bit_length()) if 2**power < concurrency]
    return {f"{size}": size for size in (*powers, concurrency, 2 * concurrency)}


def _swept(values: dict[Swept, _Values]) -> Swept:
    several = [option for option in SWEPT if len(values[option]) > 1]
    if len(several) != 1:
        found = "none has" if not several else f"{' and '.join(several)} have"
        raise UsageError(
            f"Exactly one of --maxsize, --concurrency and --data-size takes several values, and "
            f"{found}: --maxsize 1,2,4,8,16."
        )
    return several[0]


def _values(text: str | None, option: Swept) -> _Values:
    """`1,2,4`, or `1kB,100kB`: each value once, in the order given."""
    values: _Values = {}
    for part in [] if text is None else text.split(","):
        word = part.strip()
        value = _value(word, option)
        if value in values.values():
            raise UsageError(f"--{option} has {quoted(word)} twice: give each value once.")
        values[word] = value
    return values


def _value(word: str, option: Swept) -> int:
    found = (_SIZE if option == "data-size" else _NUMBER).fullmatch(word)
    if found is None:
        example = "1kB,100kB" if option == "data-size" else "1,2,4,8"
        raise UsageError(f"--{option} can't be {quoted(word)}: write numbers as in {example}.")
    return int(found[1]) * _BYTES[found[2]] if option == "data-size" else int(word)


def _with_body(plan: Plan, given: dict[str, Any]) -> Plan:
    """The plan, with a request that has a body; how large it is, each arm says."""
    if plan.request.body is not None or plan.request.upload is not None:
        raise UsageError("--data-size makes the body itself: leave the other one out.")
    method = "POST" if given["method"] is None else plan.request.method
    request = replace(plan.request, method=method, body=b"", content_type=_BINARY)
    return replace(plan, request=request)
