"""One line for each response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.model.exchange import PHASES
from keepalive_bench.units import duration, printable, size

if TYPE_CHECKING:
    from keepalive_bench.model.exchange import Exchange
    from keepalive_bench.model.plan import Plan


def exchange_line(plan: Plan, exchange: Exchange) -> str:
    """Status, type, length, connection, latency, phases and parameters of one response."""
    outcome = exchange.outcome
    answer = outcome.answer
    opened = outcome.phases.connect is not None and outcome.connection is not None
    connection = "-" if outcome.connection is None else f"{outcome.connection}"
    parts = [
        f"{exchange.arm} #{exchange.index}",
        str(outcome.status or "-"),
        printable(answer.content_type or "-") if answer else "-",
        size(outcome.body_bytes),
        f"connection {connection}{' (new)' if opened else ''}",
        duration(outcome.latency_s),
        " ".join(
            f"{name} {duration(value)}"
            for name, value in zip(PHASES, outcome.phases, strict=True)
            if value is not None
        ),
        parameters(plan, exchange.index),
    ]
    if outcome.failure is not None:
        parts.append(f"failed: {outcome.failure.kind} ({printable(outcome.failure.message)})")
    return "  ".join(part for part in parts if part)


def parameters(plan: Plan, index: int) -> str:
    """The parameters that make this request differ from others; secrets starred."""
    return printable(plan.request.variation.shown(index, plan.experiment.token))
