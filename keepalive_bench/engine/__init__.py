"""Plan → Run: who goes when, the loop that sends, and the file that keeps what was measured."""

from keepalive_bench.engine.benchmark import benchmark

__all__ = ["benchmark"]
