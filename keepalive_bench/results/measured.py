"""What a run measured, under which plan, and on which machine."""

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
    """Warm-ups sent."""
    connections: Count = 0
    """Connections opened for them."""
    failures: tuple[Failure, ...] = ()

    @property
    def failed(self) -> Annotated[int, DERIVED, least(0)]:
        """How many of them failed."""
        return len(self.failures)


class Environment(NamedTuple):
    """Where and with what a run was made."""

    kab: str
    """Its version."""
    python: str
    """Its version."""
    implementation: str
    """Of Python, such as `cpython`."""
    urllib3: str
    """Its version."""
    openssl: str
    """Its version."""
    os: str
    """The operating system and its release."""
    machine: str
    """The processor's architecture."""
    cpu_count: Positive
    """Processors that the system has."""
    clock_resolution_s: Seconds
    """The smallest step of the clock that times everything here."""
    ephemeral_ports: Positive | None = None
    """Local ports that the system has for connections to one address; `None`: unknown, as
    everywhere but on Linux."""
    resolver_wait_s: Seconds | None = None
    """How long its resolver waits for a nameserver before it asks again; `None`: unknown, as
    everywhere but on Linux."""


class LostProcess(NamedTuple):
    """One of several processes that ended, or was given up, before it told what it measured."""

    process: Count
    """Which one, from 0; its requests count as not sent."""
    why: str
    """How it ended, or why it was given up."""
    sent: dict[Label, Count]
    """How many of its exchanges are lost, by arm, as far as they were told."""


class RunInfo(NamedTuple):
    """How the measurement itself went, warm-ups left out."""

    started_at: Annotated[str, MOMENT]
    """Date and time of its start, ISO 8601, UTC, to the millisecond:
    `2026-01-02T03:04:05.678+00:00`."""
    wall_s: Seconds
    """How long it took."""
    cpu_s: Seconds
    """Processor time of kab in it, of all processes that measured; when `cpu_s ÷ wall_s` is above
    about 0.5 for each of them, kab itself was busy."""
    gc_collections: Count
    """Garbage collections in it."""
    interrupted: bool = False
    """Whether Ctrl-C, SIGTERM, SIGHUP or a lack of memory ended it."""
    requests: dict[Label, Count] | None = None
    """How many requests of each arm were due when a duration or a precision ended the run;
    `None`: neither was given (`requests` itself), and as many as were planned were due."""
    gil_wait_s: Seconds | None = None
    """How much later than in an idle interpreter a thread got it, on average; `None`: one request
    at a time in each process, or too short a run."""
    other_cpu_min: Share | None = None
    """Of all processors' time, the share that other processes took in the calmest third of the
    run; `None`: unknown, as everywhere but on Linux, or too short a run."""
    other_cpu_max: Share | None = None
    """The same in the busiest third; `None`: unknown, as everywhere but on Linux, or too short a
    run."""
    free_ports: Positive | None = None
    """Local ports that were free for connections to where the run leads that aren't kept open, of
    all source addresses together, when it began, less a few for the arms' other ones; `None`:
    plenty, or unknown, as everywhere but on Linux."""
    port_held_s: Seconds | None = None
    """How long each of them stays taken after its connection; `None`: as above."""
    lost: tuple[LostProcess, ...] = ()
    """Processes whose results are lost."""


class Measured(NamedTuple):
    """All of it."""

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
