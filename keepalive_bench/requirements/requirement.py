"""What a user demands of a run, and whether the run bears it out."""

from __future__ import annotations

from typing import Literal, NamedTuple

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = ("==", "!=", "<", "<=", ">", ">=")
Status = Literal["met", "missed", "undecided"]


class Requirement(NamedTuple):
    """One demand, such as `pooled.p95<=50ms`."""

    text: str
    """As the user wrote it."""
    name: str
    """The full name of what is meant, as the table of names has it."""
    operator: Operator
    bound: float | str
    """In the unit of the results file (seconds for times), or a word, such as a verdict's code."""


class Checked(NamedTuple):
    """A requirement, held against a run."""

    requirement: Requirement
    status: Status
    value: float | str | None
    """What the run shows; `None` where it can't be said."""
    low: float | None
    high: float | None
    """The interval that was decided on; `None` of what is counted exactly."""
    text: str
    """One sentence: what was found, and why that decides it or doesn't."""
