"""How long a test waits for what is bound to come."""

from __future__ import annotations

PATIENCE_S = 60.0
"""Longer than any stall of a busy machine: only a test that fails waits for so long."""
