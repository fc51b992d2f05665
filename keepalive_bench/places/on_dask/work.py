"""What a worker is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from keepalive_bench.engine.engine import GRACE_S
from keepalive_bench.errors import UsageError
from keepalive_bench.places.on_dask.files import secret_files
from keepalive_bench.plan.document import withheld
from keepalive_bench.units import REDACTED, plural

if TYPE_CHECKING:
    from keepalive_bench.places.on_dask.files import Files
    from keepalive_bench.plan.plan import Plan

T = TypeVar("T")
BEFORE_START = "It was stopped before it had begun."


class Secret(Generic[T]):
    """A value that has secrets in it: logs and dashboards show what a task is given by its repr."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __repr__(self) -> str:
        return REDACTED


@dataclass(frozen=True, kw_only=True)
class Work:
    """One place's part."""

    plan: Plan
    files: Files
    """What is in the files that the plan names."""
    token: str
    """Which of all runs on the cluster it belongs to."""
    number: int
    """Which of its places."""
    worker: str
    """The identity of the worker that is meant; one that took over its address is another."""
    start_s: float
    """When to begin, on that machine's clock."""
    most_wait_s: float
    """How long is waited for that at most, whatever the clock says, and how late it may be."""


class Progress(NamedTuple):
    """How far a place is."""

    exchanges: int
    """So many have ended."""


class Result(NamedTuple):
    """What came of it."""

    run: bytes | None
    """The run, packed; `None`: there is none."""
    why: str = ""
    """Why there is none, in a sentence."""
    late_s: float = 0.0
    """How much later than all were to begin it did."""


def shares_of(plan: Plan, count: int) -> tuple[Plan, ...]:
    """The plans of several places that share a rate: requests and rate add up to the whole's.

    Raises:
        UsageError: there is no rate to share, or there are fewer requests than places.
    """
    experiment = plan.experiment
    rate = experiment.load.rate
    if rate is None:
        raise UsageError("--split divides a --rate among the workers: give one.")
    load = replace(experiment.load, rate=rate / count)
    if not experiment.is_limited:
        return (replace(plan, experiment=replace(experiment, load=load)),) * count
    if experiment.requests < count:
        asked = plural(experiment.requests, "request")
        raise UsageError(f"{asked} can't be split among {plural(count, 'worker')}: raise -n.")
    least, more = divmod(experiment.requests, count)
    return tuple(
        replace(
            plan,
            experiment=replace(experiment, requests=least + (number < more), load=load),
        )
        for number in range(count)
    )


def secrets_of(plan: Plan) -> tuple[str, ...]:
    """What is secret of all that a worker gets to know: as a person says it."""
    told = [f"--{it}" for it in withheld(plan)]
    whole = f"{plan.target.origin}{plan.target.path}"
    in_url = ["the URL's query or path"] if plan.target.shown != whole else []
    files = [f"--{it}" for it in secret_files(plan)]
    return tuple(dict.fromkeys((*told, *in_url, *files)))


def longest_s(plan: Plan) -> float:
    """How long a run takes at most: every request as long as it may, one after the other."""
    experiment, load, deadline_s = plan.experiment, plan.experiment.load, plan.network.timeout_s
    warmups = len(experiment.arms) * experiment.warmups
    requests = experiment.total_requests - warmups
    sent_s = requests * (deadline_s + load.think_s[1]) / experiment.threads
    if load.rate is not None:
        sent_s += requests / load.rate
    if experiment.duration_s is not None:
        sent_s = min(sent_s, experiment.duration_s + deadline_s)
    return warmups * deadline_s + sent_s + GRACE_S
