"""The plan of a sweep: the options that differ from those of a run, and what they come to."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.arms import Arm
from keepalive_bench.plan.experiment import DURATION, REQUESTS, SWEPT, Experiment, Swept
from keepalive_bench.plan.fields import in_groups, options_of, planned
from keepalive_bench.plan.load import TRAFFICS, Load, Traffic
from keepalive_bench.plan.options import Asked, Example, Option
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.request import METHOD
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.plan.network import Tls
    from keepalive_bench.plan.target import Target

_BURSTS, _STEADY_PER_THREAD = 50, 100
_BINARY = "application/octet-stream"
_BOTH = "both"
_USUAL_THREADS = 8
_BYTES = {"": 1, "B": 1, "kB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2}
_Values = dict[str, int]
"""By what the user called them."""
_OTHERWISE = {
    "requests": "Requests with each value.  [default: 50 a thread, 100 in steady traffic; no limit "
    "with -z]",
    "warmup": "Uncounted requests per value first.  [default: 1]",
    "keep-going": "Go on even if a value's first 5 requests all fail.",
}
"""What options of a run mean here."""
_NOT_HERE = {"precision", "processes", "rate", "think-time", "arm", "order"}
"""Options of a run that a sweep doesn't have: it is about one pool, and closed load."""


def _parser(option: Swept) -> Callable[[str], _Values]:
    """`1,2,4`, or `1kB,100kB`: each value once, in the order given."""

    def parse(text: str) -> _Values:
        values: _Values = {}
        for part in text.split(","):
            word = part.strip()
            value = _value(word, option)
            if value in values.values():
                raise UsageError(f"--{option} has {quoted(word)} twice: give each value once.")
            values[word] = value
        return values

    return parse


def _value(word: str, option: Swept) -> int:
    number = r"([0-9]{1,9})"
    found = re.fullmatch(f"{number}(B|kB|MB|KiB|MiB|)" if option == "data-size" else number, word)
    if found is None:
        example = "1kB,100kB" if option == "data-size" else "1,2,4,8"
        raise UsageError(f"--{option} can't be {quoted(word)}: write numbers as in {example}.")
    return int(found[1]) * _BYTES[found[2]] if option == "data-size" else int(word)


def _said(option: Swept) -> Callable[[Experiment], Iterator[str]]:
    """What a command says of it: the values, or the one that all of them have."""

    def words(experiment: Experiment) -> Iterator[str]:
        if experiment.sweep == option:
            yield ",".join(arm.label for arm in experiment.arms)
        elif option == "concurrency":
            yield f"{experiment.concurrency}"
        elif option == "maxsize" and experiment.pool_size != experiment.concurrency:
            yield f"{experiment.pool_size}"

    return words


def _traffics(word: str) -> tuple[Traffic, ...]:
    return tuple(it for it in reversed(TRAFFICS) if word in {it, _BOTH})


MAXSIZES = Option(
    parse=_parser("maxsize"),
    words=_said("maxsize"),
    spelling="--maxsize N[,N…]",
    help="Connections that a pool keeps.  [default: 1, 2, 4 and so on, up to twice the "
    "concurrency]",
    more="The concurrency, where something else has several values.",
    example=Example("--maxsize 1,3 -c 2 -n 4", "plan.arms[1].label == 3"),
)
CONCURRENCIES = Option(
    parse=_parser("concurrency"),
    words=_said("concurrency"),
    spelling="-c, --concurrency N[,N…]",
    help=f"Threads that share a pool.  [default: {_USUAL_THREADS}]",
    example=Example("-c 1,2 -n 4", "sweep.option == concurrency"),
)
DATA_SIZES = Option(
    parse=_parser("data-size"),
    words=_said("data-size"),
    spelling="--data-size SIZE,SIZE…",
    help="Bytes of a body to POST: 1kB,100kB.",
    more="Another --method can be given.",
    rivals=("data", "json-body", "upload-file"),
    example=Example("--data-size 1,5 -c 1 -n 2", "\nxxxxx", "sent"),
)
TRAFFIC = Option(
    parse=_traffics,
    words=lambda experiment: (experiment.load.traffic,),
    spelling="--traffic",
    choices=(*TRAFFICS, _BOTH),
    help="In bursts, all threads send at once, then wait.  [default: bursts]",
    more="In steady traffic, no thread ever waits for the others. Both: one sweep after the other; "
    "of FILE.json, FILE-bursts.json and FILE-steady.json are written.",
    example=Example("--maxsize 1,2 -c 2 -n 4 --traffic steady", "sweep.traffic == steady"),
)
OWN: tuple[Option[Any], ...] = (MAXSIZES, CONCURRENCIES, DATA_SIZES, TRAFFIC)
"""What they say of an experiment is for the experiment as a whole."""


@cache
def sweep_options() -> tuple[Option[Any], ...]:
    """All options of a sweep: its own, and those of a run, as far as a sweep has them."""
    own = {it.name for it in OWN}
    others = [
        replace(it, help=_OTHERWISE[it.name], more="") if it.name in _OTHERWISE else it
        for it in options_of(Plan)
        if it.name not in own | _NOT_HERE
    ]
    both = [replace(it, group="Load") for it in OWN] + others
    return in_groups(both)


def swept_plans(target: Target, asked: Asked, tls: Tls) -> list[Plan]:
    """The plan of a sweep, for each kind of traffic that is asked for.

    Raises:
        UsageError: not exactly one option has several values, or something else makes no sense.
    """
    values: dict[Swept, _Values] = {
        "maxsize": asked[MAXSIZES] or {},
        "concurrency": asked[CONCURRENCIES] or {f"{_USUAL_THREADS}": _USUAL_THREADS},
        "data-size": asked[DATA_SIZES] or {},
    }
    concurrency = max(values["concurrency"].values())
    if all(len(several) <= 1 for several in values.values()) and not values["maxsize"]:
        values["maxsize"] = _doubled(concurrency)
    swept = _swept(values)
    if values["data-size"] and swept != "data-size":
        raise UsageError("--data-size is for a sweep over it: one body goes with --data.")
    plans = []
    for traffic in asked[TRAFFIC] or TRAFFICS[1:]:
        experiment = planned(
            Experiment,
            asked,
            concurrency=concurrency,
            maxsize=max(values["maxsize"].values(), default=None) if swept != "maxsize" else None,
            arms=tuple(Arm("pooled", label, value) for label, value in values[swept].items()),
            order="paired",
            load=Load(traffic=traffic),
            sweep=swept,
            **_requests(asked, traffic, concurrency),
        )
        plan = planned(Plan, asked, target=target, tls=tls, experiment=experiment)
        plans.append(_with_body(plan, asked) if swept == "data-size" else plan)
    return plans


def _requests(asked: Asked, traffic: Traffic, concurrency: int) -> dict[str, int]:
    """How many, where neither that is said nor how long."""
    if REQUESTS in asked or DURATION in asked:
        return {}
    return {"requests": concurrency * (_BURSTS if traffic == "bursts" else _STEADY_PER_THREAD)}


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


def _with_body(plan: Plan, asked: Asked) -> Plan:
    """The plan, with a request that has a body; how large it is, each arm says."""
    if plan.request.body is not None or plan.request.upload is not None:
        raise UsageError("--data-size makes the body itself: leave the other one out.")
    method = plan.request.method if METHOD in asked else "POST"
    request = replace(plan.request, method=method, body=b"", content_type=_BINARY)
    return replace(plan, request=request)
