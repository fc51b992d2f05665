"""What the embedded server can do wrong on demand."""

from __future__ import annotations

from keepalive_bench.server.faults.fault import Fault
from keepalive_bench.server.faults.table import FAULTS

__all__ = ["FAULTS", "Fault"]
