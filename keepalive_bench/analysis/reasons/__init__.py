"""Why each connection was opened."""

from keepalive_bench.analysis.reasons.rules import find_reasons

__all__ = ["find_reasons"]
