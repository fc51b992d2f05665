"""Every fault by its name: adding one is writing a function and an entry beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.server.faults.cuts import CUTS
from keepalive_bench.server.faults.framing import FRAMING
from keepalive_bench.server.faults.heads import HEADS
from keepalive_bench.server.faults.pace import PACE
from keepalive_bench.server.faults.unasked import UNASKED

if TYPE_CHECKING:
    from keepalive_bench.server.faults.steps import Kind

FAULTS: dict[str, Kind] = {**CUTS, **UNASKED, **FRAMING, **HEADS, **PACE}
