"""How long a program's connections took together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.trace.usage import Usage


def span_s(usage: Usage) -> float:
    """From the program's start to the last that is known of its connections, in seconds."""
    return max(
        (
            max(it.opened_s + (it.setup_s or 0.0), it.ended_s or 0.0, *(end for _, end in it.busy))
            for it in usage.connections
        ),
        default=0.0,
    )
