"""What a world is: runs that are drawn, what is counted in each, and how often that may be so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

Counted = Mapping[str, float | None]
"""What one run comes to, by what is counted: 1 or 0 for yes or no, or a number whose mean is told.
`None`: the run has nothing to count."""


class Bounds(NamedTuple):
    """Between which values a rate, or a mean, has to lie."""

    least: float = float("-inf")
    most: float = float("inf")

    @property
    def said(self) -> str:
        """As a table has it, in per cent."""
        if self.most == float("inf"):
            return f"≥ {100 * self.least:g}"
        if self.least == float("-inf"):
            return f"≤ {100 * self.most:g}"
        return f"{100 * self.least:g} to {100 * self.most:g}"


class World(NamedTuple):
    """Runs of one kind."""

    name: str
    simulate: Callable[[Random], Counted]
    """One run, drawn and judged by kab's own code; it is sent to another process, so it is a
    function of a module, or a `partial` of one."""
    runs: int
    bounds: Mapping[str, Bounds]
    """By what is counted. What has none is told only."""
