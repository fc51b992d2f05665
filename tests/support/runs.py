"""Runs written down by hand: every number in them is known before it is analysed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.plan.plan import Arm, Experiment, Plan, Target
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import Answer, Connection, Exchange, Failure, Outcome, Phases
from keepalive_bench.results.measured import Environment, PoolCounters, RunInfo, WarmUp
from keepalive_bench.results.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

URL = "http://127.0.0.1:8000/"
HTML = Answer("HTTP/1.1", "text/html")
REFUSED = Failure("connect-refused", "Connection refused")
CUT_OFF = Failure("interrupted", "the run was stopped")
RUN_INFO = RunInfo(
    started_at="2026-01-02T03:04:05.678+00:00", wall_s=4.0, cpu_s=1.0, gc_collections=0
)
ENVIRONMENT = Environment(
    kab="0.1.0",
    python="3.12.1",
    implementation="cpython",
    urllib3="2.8.0",
    openssl="OpenSSL 3.0.0",
    os="Linux 6.1",
    machine="x86_64",
    cpu_count=2,
    clock_resolution_s=1e-9,
)


class Script:
    """Notes exchanges and connections one by one, and makes a `Run` of them.

    Arms are kinds, or `(label, kind)`; options are those of an `Experiment`.
    """

    def __init__(
        self,
        *arms: str | tuple[str, str],
        plan: Plan | None = None,
        **experiment: Any,  # noqa: ANN401  # whatever an Experiment takes
    ) -> None:
        wanted = [Arm(arm) if isinstance(arm, str) else Arm(arm[1], arm[0]) for arm in arms]
        if wanted:
            experiment["arms"] = tuple(wanted)
        base = plan or Plan(Target(URL))
        self.plan = replace(base, experiment=Experiment(**{"seed": 7, **experiment}))
        labels = self.plan.experiment.labels
        self.exchanges, self.connections = (
            ExchangeColumns(
                labels,
                queued=self.plan.experiment.load.is_open,
                counted=bool(self.plan.request.count_by),
            ),
            ConnectionColumns(labels),
        )
        self._sent = dict.fromkeys(labels, 0)
        self._now_s = 0.0

    @property
    def now_s(self) -> float:
        """When the last exchange was over."""
        return self._now_s

    def open(self, arm: str, slot: int = 0, **details: Any) -> int:  # noqa: ANN401  # a Connection's
        """Open a connection, in 1 ms if nothing else is said; its row."""
        known: dict[str, Any] = {
            "opened_s": self._now_s,
            "peer": "127.0.0.1:8000",
        }
        return self.connections.append(Connection(arm=arm, slot=slot, **{**known, **details}))

    def send(  # noqa: PLR0913  # an exchange has that many sides
        self,
        arm: str,
        latency_s: float,
        *,
        on: int | None = None,
        index: int | None = None,
        round_number: int | None = None,
        began_s: float | None = None,
        status: int | None = 200,
        body_bytes: int = 100,
        answer: Answer | None = HTML,
        phases: Phases | None = None,
        queued_s: float | None = None,
        counted: tuple[str | None, ...] | None = None,
    ) -> None:
        """Note an exchange that succeeded: after the one before, in a round of its own."""
        outcome = Outcome(
            began_s=self._now_s if began_s is None else began_s,
            latency_s=latency_s,
            connection=on,
            status=status,
            body_bytes=body_bytes,
            phases=phases or Phases(),
            answer=answer,
            counted=counted,
            queued_s=queued_s,
        )
        if on is not None:
            self.connections.answered(on)
        self._note(arm, index, round_number, outcome)

    def fail(
        self,
        arm: str,
        latency_s: float = 0.5,
        *,
        failure: Failure = REFUSED,
        index: int | None = None,
        round_number: int | None = None,
        on: int | None = None,
        phases: Phases | None = None,
    ) -> None:
        """Note an exchange that failed."""
        phases = phases or Phases()
        outcome = Outcome(self._now_s, latency_s, connection=on, failure=failure, phases=phases)
        self._note(arm, index, round_number, outcome)

    def run(
        self,
        *,
        warmup: dict[str, WarmUp] | None = None,
        **run_info: Any,  # noqa: ANN401  # whatever a RunInfo takes
    ) -> Run:
        """What was noted so far; options are those of a `RunInfo`."""
        labels = self.plan.experiment.labels
        one = WarmUp(requests=1, connections=1)
        return Run(
            plan=self.plan,
            environment=ENVIRONMENT,
            run_info=RUN_INFO._replace(**run_info),
            warmup=dict.fromkeys(labels, one) | (warmup or {}),
            exchanges=self.exchanges,
            connections=self.connections,
            counters={
                label: PoolCounters(len(self.connections.rows(label)), self._sent[label])
                for label in labels
            },
        )

    def _note(self, arm: str, index: int | None, number: int | None, outcome: Outcome) -> None:
        index = self._sent[arm] if index is None else index
        number = index if number is None else number
        self.exchanges.append(Exchange(arm, index, number, outcome))
        self._sent[arm] += 1
        self._now_s = max(self._now_s, outcome.began_s + outcome.latency_s)


def view_of(run: Run, label: str = "pooled") -> ArmView:
    """An arm as the analysis sees it."""
    return ArmView(label, run.plan, run.exchanges)


def paired_run(
    pooled: Sequence[float],
    unpooled: Sequence[float],
    *,
    plan: Plan | None = None,
    **experiment: Any,  # noqa: ANN401  # whatever an Experiment takes
) -> Run:
    """A run in which keep-alive works: one connection against one each, 1 ms to open."""
    script = Script(plan=plan, requests=max(len(pooled), len(unpooled)), **experiment)
    first, second = script.plan.experiment.labels
    shared: int | None = None
    for index in range(max(len(pooled), len(unpooled))):
        if index < len(pooled):
            connect = 0.001 if shared is None else None
            shared = script.open(first) if shared is None else shared
            phases = Phases(connect=connect, wait=pooled[index] / 2)
            script.send(first, pooled[index], on=shared, phases=phases, index=index)
        if index < len(unpooled):
            phases = Phases(connect=0.001, wait=unpooled[index] / 2)
            row = script.open(second)
            script.send(second, unpooled[index], on=row, phases=phases, index=index)
    return script.run()
