"""How a run is judged: how sure an interval is, what is too small to matter, what is demanded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example, option, options
from keepalive_bench.typed_json import below, least, most

_LEAST_CONFIDENCE, _MOST_CONFIDENCE = 0.5, 0.999
_MOST_REQUIREMENTS = 1_000


@dataclass(frozen=True, kw_only=True)
class DecisionRule:
    """What it takes for a difference to be called one.

    Raises:
        UsageError: a confidence that is no share between 0.5 and 1, a margin below 0, or more
            requirements than anybody has.
    """

    confidence: Annotated[float, least(_LEAST_CONFIDENCE), most(_MOST_CONFIDENCE)] = option(
        0.95,
        float,
        spelling="--confidence",
        help="Confidence level of all intervals.",
        example=Example("--confidence 0.9", "90 % interval", "said"),
        shown=True,
        matters=False,
    )
    margin: Annotated[float, least(0), below(1)] = option(
        0.05,
        float,
        spelling="--margin",
        help="A speed-up wholly within 1 ± this is called no difference.",
        example=Example("-n 40 --margin 0.99", "verdict.code == no-difference"),
        shown=True,
        matters=False,
    )
    """A speed-up wholly between 1 ÷ (1 + margin) and 1 + margin is no difference."""
    requirements: tuple[str, ...] = options(
        (),
        str,
        spelling="--require EXPR",
        help="What has to be so, or kab ends with 4: 'reopened==0', 'pooled.p95<=50ms', "
        "'speedup>=1.5'. Repeatable; docs/requirements.md lists the names.",
        group="Requirements",
        example=Example("--require 'pooled.connections>99'", "4", "exit code"),
        shown=True,
        matters=False,
    )

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
