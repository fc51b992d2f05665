"""Requirements in a report: a line for each, the same words in every terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.model.requirement import Checked, Standing

_MARKS: dict[Standing, str] = {"met": "✓", "missed": "✗", "undecided": "?"}
_ASCII_MARKS: dict[Standing, str] = {"met": "+", "missed": "x", "undecided": "?"}
STYLES: dict[Standing, str] = {"met": "green", "missed": "bold red", "undecided": "bold yellow"}
_WIDEST = len("undecided")


def standing(checked: Checked, *, plain_ascii: bool) -> str:
    """How a requirement stands, with a mark; all equally wide."""
    marks = _ASCII_MARKS if plain_ascii else _MARKS
    return f"{marks[checked.standing]} {checked.standing:<{_WIDEST}}"


def demand(checked: Checked) -> str:
    """What was asked for, and what was found."""
    return f"{printable(checked.requirement.text)}: {printable(checked.text)}"


def undecided_note(requirements: Iterable[Checked]) -> str:
    """What undecided requirements mean for the exit code; empty where there are none."""
    if all(checked.standing != "undecided" for checked in requirements):
        return ""
    return "What is undecided fails nothing by itself; with --strict it does."
