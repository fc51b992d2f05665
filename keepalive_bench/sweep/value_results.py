"""What was tried in a sweep: what each value came to, and what was asked of them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.plan.experiment import Swept
    from keepalive_bench.plan.load import Traffic
    from keepalive_bench.stats.intervals import Estimate


class ValueResult(NamedTuple):
    """What was counted with one value."""

    label: str
    value: int
    sent: int
    answered: int
    """Requests that succeeded."""
    reuse: float
    reopened: int
    by_kab: int
    """Those of them that went stale only because other values had their turn in between."""
    discarded: int
    open_at_once: int
    waited: int

    @property
    def reuse_alone(self) -> float:
        """The share of requests on a used connection, had no other value had its turn."""
        return self.reuse + self.by_kab / self.sent if self.sent else 0.0


if TYPE_CHECKING:
    Effect = Callable[[ValueResult, ValueResult], Estimate]
    """How many times better one value is than another: shorter latency, or more requests/s."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was asked."""

    option: Swept
    traffic: Traffic
    threads: int
    block: bool
    margin: float

    @property
    def who(self) -> str:
        """Whose traffic it is."""
        how = "in bursts" if self.traffic == "bursts" else "that never pause"
        return f"{plural(self.threads, 'thread')} {how}"

    @property
    def least(self) -> int:
        """Requests with each value before which nothing can be used again: two full bursts."""
        return 2 * self.threads

    def most_reuse(self, it: ValueResult) -> float:
        """The share of requests on a used connection, where the server keeps all connections.

        Each thread's first request opens one, and of a burst a pool keeps as many as it has places
        for.
        """
        is_kept = self.block or self.traffic == "steady"
        kept = 1.0 if is_kept else min(1.0, it.value / self.threads)
        return kept * (1 - self.threads / it.sent)
