"""How a run is judged: how sure an interval is, what is too small to matter, what is demanded."""

from __future__ import annotations

from dataclasses import dataclass

from keepalive_bench.errors import UsageError

_LEAST_CONFIDENCE, _MOST_CONFIDENCE = 0.5, 0.999
_MOST_REQUIREMENTS = 1_000


@dataclass(frozen=True, kw_only=True)
class DecisionRule:
    """What it takes for a difference to be called one.

    Raises:
        UsageError: a confidence that is no share between 0.5 and 1, a margin below 0, or more
            requirements than anybody has.
    """

    confidence: float = 0.95
    """Of every interval."""
    margin: float = 0.05
    """A speed-up wholly between 1 ÷ (1 + margin) and 1 + margin is no difference."""
    requirements: tuple[str, ...] = ()
    """What is demanded of the run, as the user writes it: `pooled.p95<=50ms`."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not _LEAST_CONFIDENCE <= self.confidence <= _MOST_CONFIDENCE:
            raise UsageError(
                f"confidence must be from {_LEAST_CONFIDENCE} to {_MOST_CONFIDENCE}, "
                f"not {self.confidence}."
            )
        if not 0 <= self.margin < 1:
            raise UsageError(f"margin must be from 0 to below 1, not {self.margin}.")
        if len(self.requirements) > _MOST_REQUIREMENTS:
            raise UsageError(f"There may be {_MOST_REQUIREMENTS:,} requirements at most.")
