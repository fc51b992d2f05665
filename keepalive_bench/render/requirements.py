"""Requirements in a report: the worst first, the same words in every dialect."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keepalive_bench.model.requirement import Checked, Standing

WORST_FIRST: tuple[Standing, ...] = ("missed", "undecided", "met")
STYLES: dict[Standing, str] = {"met": "green", "missed": "bold red", "undecided": "bold yellow"}
_MARKS: dict[Standing, str] = {"met": "✓", "missed": "✗", "undecided": "?"}
_ASCII_MARKS: dict[Standing, str] = {"met": "+", "missed": "x", "undecided": "?"}
_WIDEST = len("undecided")
_STRICT = "What is undecided counts as missed (--strict)."
_LENIENT = "What is undecided fails nothing by itself; with --strict it does."


def in_order(requirements: Iterable[Checked]) -> list[Checked]:
    """What is missed first, then what is undecided; else as they were given."""
    return sorted(requirements, key=lambda checked: WORST_FIRST.index(checked.standing))


def worst(requirements: Iterable[Checked], *, strict: bool = False) -> Standing | None:
    """How the worst of them stands; `None`: there are none. `strict`: undecided is missed."""
    found = {checked.standing for checked in requirements}
    standing = next((it for it in WORST_FIRST if it in found), None)
    return "missed" if strict and standing == "undecided" else standing


def counted(requirements: Iterable[Checked]) -> str:
    """How many stand how: `5 requirements: 1 missed, 2 undecided, 2 met`; empty: there are none."""
    standings = Counter(checked.standing for checked in requirements)
    if not standings:
        return ""
    parts = (f"{standings[it]:,} {it}" for it in WORST_FIRST if standings[it])
    return f"{plural(standings.total(), 'requirement')}: {', '.join(parts)}"


def summary(requirements: Sequence[Checked], *, strict: bool) -> str:
    """The same as a sentence, and what undecided ones mean for the exit code."""
    told = f"{counted(requirements)}." if requirements else ""
    return f"{told} {undecided_note(requirements, strict=strict)}".strip()


def undecided_note(requirements: Iterable[Checked], *, strict: bool) -> str:
    """What undecided requirements mean for the exit code; empty where there are none."""
    if all(checked.standing != "undecided" for checked in requirements):
        return ""
    return _STRICT if strict else _LENIENT


def standing(checked: Checked, *, plain_ascii: bool) -> str:
    """How a requirement stands, with a mark; all equally wide."""
    marks = _ASCII_MARKS if plain_ascii else _MARKS
    return f"{marks[checked.standing]} {checked.standing:<{_WIDEST}}"


def demand(checked: Checked) -> str:
    """What was asked for, and what was found."""
    return f"{printable(checked.requirement.text)}: {printable(checked.text)}"
