"""A run: the plan, the machine it ran on, and everything that was measured."""

from __future__ import annotations

from array import array
from math import isnan, nan
from typing import TYPE_CHECKING, Annotated, NamedTuple

from keepalive_bench.plan.arms import LABEL
from keepalive_bench.results.exchange import SETUP, Failure
from keepalive_bench.typed_json import (
    DERIVED,
    MOMENT,
    Count,
    Positive,
    Seconds,
    Share,
    least,
    pattern,
)

if TYPE_CHECKING:
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns

Label = Annotated[str, pattern(f"^{LABEL}$")]


class PoolCounters(NamedTuple):
    """urllib3's own two numbers: connection *objects* made, and attempts at a request."""

    num_connections: Count = 0
    num_requests: Count = 0


class WarmUp(NamedTuple):
    """What an arm's warm-up did, on pools of its own; counted nowhere else."""

    requests: Count = 0
    connections: Count = 0
    failures: tuple[Failure, ...] = ()

    @property
    def failed(self) -> Annotated[int, DERIVED, least(0)]:
        """How many of the requests failed."""
        return len(self.failures)


class Environment(NamedTuple):
    """Where and with what a run was made."""

    kab: str
    python: str
    implementation: str
    urllib3: str
    openssl: str
    os: str
    machine: str
    cpu_count: Positive
    clock_resolution_s: Seconds
    ephemeral_ports: Positive | None = None
    """Local ports that the system has for connections to one address; `None`: unknown."""


class LostProcess(NamedTuple):
    """One of several processes that ended, or was given up, before it told what it measured."""

    process: Count
    """Which one, from 0."""
    why: str
    sent: dict[Label, Count]
    """How many of its exchanges are lost, by arm, as far as they were told."""


class RunInfo(NamedTuple):
    """How the measurement itself went, warm-ups left out."""

    started_at: Annotated[str, MOMENT]
    """The wall clock's time at the start, ISO 8601, UTC."""
    wall_s: Seconds
    cpu_s: Seconds
    """Processor time of the whole process; of several, of all that measured."""
    gc_collections: Count
    """Garbage collections while measuring."""
    interrupted: bool = False
    requests: dict[Label, Count] | None = None
    """How many of each arm were due when a duration or a precision ended the run, by label.

    `None`: as many as were planned."""
    gil_wait_s: Seconds | None = None
    """How much later than in an idle interpreter a thread got it, on average; `None`: unknown."""
    other_cpu_min: Share | None = None
    """Of all processors' time, what other processes took in the calmest third of the run."""
    other_cpu_max: Share | None = None
    """The same in the busiest third; `None`: unknown."""
    free_ports: Positive | None = None
    """Local ports that were free for the run's connections; `None`: plenty, or unknown."""
    port_held_s: Seconds | None = None
    """How long each of them stays taken after its connection."""
    lost: tuple[LostProcess, ...] = ()
    """Processes whose results are lost."""


class Run(NamedTuple):
    """A finished (or interrupted) run. Its columns are not appended to any more."""

    plan: Plan
    environment: Environment
    run_info: RunInfo
    warmup: dict[str, WarmUp]
    """By label."""
    exchanges: ExchangeColumns
    connections: ConnectionColumns
    counters: dict[str, PoolCounters]
    """By label."""

    def requests_due(self, arm: str) -> int:
        """How many requests an arm was to send."""
        due = self.run_info.requests
        return self.plan.experiment.requests if due is None else due[arm]

    def setups(self) -> dict[str, array[float]]:
        """What opening each connection took: a column of seconds (NaN: none) for each phase of it.

        The phases belong to the exchange that opened the connection, which is the one on it that
        has a `connect`.
        """
        columns = {name: array("f", [nan]) * len(self.connections) for name in SETUP}
        exchanges = self.exchanges
        connects = exchanges.phases["connect"]
        for row, connection in enumerate(exchanges.connection):
            if connection >= 0 and not isnan(connects[row]):
                for name, column in columns.items():
                    column[connection] = exchanges.phases[name][row]
        return columns
