"""Requirements in a report: the worst first, the same words in every dialect."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Checked, Status

_WORST_FIRST: tuple[Status, ...] = ("missed", "undecided", "met")
STYLES: dict[Status, str] = {"met": "", "missed": "bold red", "undecided": "bold"}
"""A mark's; words keep the terminal's colour."""
_MARKS: dict[Status, str] = {"met": "✓", "missed": "✗", "undecided": "?"}
_ASCII_MARKS: dict[Status, str] = {"met": "+", "missed": "x", "undecided": "?"}
_WIDEST = len("undecided")
_STRICT = "Undecided requirements count as missed."
_LENIENT = "Undecided requirements don't affect the exit code; with --strict they do."


def in_order(requirements: Iterable[Checked]) -> list[Checked]:
    """What is missed first, then what is undecided; else as they were given."""
    return sorted(requirements, key=lambda checked: _WORST_FIRST.index(checked.status))


def worst(requirements: Iterable[Checked], *, strict: bool = False) -> Status | None:
    """How the worst of them stands; `None`: there are none. `strict`: undecided is missed."""
    found = {checked.status for checked in requirements}
    status = next((it for it in _WORST_FIRST if it in found), None)
    return "missed" if strict and status == "undecided" else status


def counted(requirements: Iterable[Checked]) -> str:
    """How many stand how: `5 requirements: 1 missed, 2 undecided, 2 met`; empty: there are none."""
    statuses = Counter(checked.status for checked in requirements)
    if not statuses:
        return ""
    parts = (f"{statuses[it]:,} {it}" for it in _WORST_FIRST if statuses[it])
    return f"{plural(statuses.total(), 'requirement')}: {', '.join(parts)}"


def undecided_note(requirements: Iterable[Checked], *, strict: bool) -> str:
    """What undecided requirements mean for the exit code; empty where there are none."""
    if all(checked.status != "undecided" for checked in requirements):
        return ""
    return _STRICT if strict else _LENIENT


def told(
    requirements: Sequence[Checked], *, plain_ascii: bool, strict: bool, explaining: bool = True
) -> Iterator[str]:
    """A line for each, and one for all; nothing where there are none.

    `explaining`: with the findings that say why.
    """
    words = explained if explaining else demand
    if requirements:
        for it in in_order(requirements):
            yield f"{status(it, plain_ascii=plain_ascii)}  {words(it)}"
        note = undecided_note(requirements, strict=strict)
        yield f"{counted(requirements)}. {note}".strip()


def status(checked: Checked, *, plain_ascii: bool) -> str:
    """How a requirement stands, with a mark; all equally wide."""
    marks = _ASCII_MARKS if plain_ascii else _MARKS
    return f"{marks[checked.status]} {checked.status:<{_WIDEST}}"


def demand(checked: Checked) -> str:
    """What was asked for, and what was found."""
    return f"{printable(checked.requirement.text)}: {printable(checked.text)}"


def explained(checked: Checked) -> str:
    """The same, and the findings that say why, with what to do about it."""
    return " ".join((demand(checked), *reasons(checked)))


def reasons(checked: Checked) -> Iterator[str]:
    """The findings that say why it isn't met, with what to do about it."""
    for _, words in preamble.told(checked.because):
        yield printable(words)
