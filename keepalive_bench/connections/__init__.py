"""Why each connection was opened."""

from keepalive_bench.connections.rules import find_reasons

__all__ = ["find_reasons"]
