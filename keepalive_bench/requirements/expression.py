"""Text → requirement: `pooled.p95<=50ms`. What is wrong is said with its place in the text."""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from keepalive_bench.analysis.analysis import OPERATORS, Requirement
from keepalive_bench.errors import UsageError
from keepalive_bench.requirements.bounds import NUMBER, UnitError, out_of_range, scaled
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from keepalive_bench.analysis.analysis import Operator
    from keepalive_bench.requirements.quantity import Nameable

_LONGEST = 200
_COMPARED_WITH = 8_000
_COMPARISON = re.compile(r"speedup|saving|comparisons\[|explained\.")
_OPERATOR = re.compile(r"[=!<>~≤≥≠]+")
_MEANT: dict[str, Operator] = {"=": "==", "===": "==", "=<": "<=", "=>": ">=", "<>": "!="}
_MEANT |= {"≤": "<=", "≥": ">=", "≠": "!="}
_EQUALITY = {"==", "!="}


class _FaultError(Exception):
    """What is wrong with an expression, and the place in its text, from 0."""

    def __init__(self, place: int, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


def parse(text: str, named: Mapping[str, Nameable]) -> Requirement:
    """One requirement, on one of the things named.

    Raises:
        UsageError: it isn't one; with what is wrong with it, and where in it.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"A requirement has {_LONGEST} characters at most, not {len(text):,}.")
    try:
        return _parsed(text, named)
    except _FaultError as fault:
        place, end = f"at character {fault.place + 1}", "" if str(fault).endswith("?") else "."
        raise UsageError(f"In the requirement {quoted(text)}, {place}: {fault}{end}") from None


def _parsed(text: str, named: Mapping[str, Nameable]) -> Requirement:
    found = _OPERATOR.search(text)
    if found is None:
        _refuse(
            len(text.rstrip()),
            "a comparison is missing, such as <=50ms (a shell takes < and > for itself, so put the "
            "whole in quotes)",
        )
    start, rest = _trimmed(text, found.end())
    name_at, spelled = _trimmed(text[: found.start()], 0)
    quantity = _quantity(name_at, spelled, named)
    operator = _operator(found, quantity, spelled)
    if not rest:
        _refuse(start, f"nothing follows the {operator}")
    bound: float | str
    if quantity.kind == "word":
        bound = _word(start, rest, quantity)
    else:
        bound = _number(start, rest, quantity, spelled)
    return Requirement(text, quantity.name, operator, bound)


def _trimmed(text: str, start: int) -> tuple[int, str]:
    """What follows in a text without blanks around it, and where it begins."""
    rest = text[start:]
    return start + len(rest) - len(rest.lstrip()), rest.strip()


def _quantity(place: int, spelled: str, named: Mapping[str, Nameable]) -> Nameable:
    if not spelled:
        _refuse(0, "a name is missing before the comparison")
    quantity = named.get(spelled)
    if quantity is None:
        if NUMBER.match(spelled):
            _refuse(place, "the name goes first, and what it is compared with last")
        if _COMPARISON.match(spelled) and not any(map(_COMPARISON.match, named)):
            _refuse(place, f"of one arm there is no {quoted(spelled)}: nothing to compare it with")
        known = _longest_known(spelled, named)
        _refuse(place + len(known), _unknown(spelled, known, named))
    return quantity


def _longest_known(spelled: str, named: Collection[str]) -> str:
    """The longest beginning that a name has, up to a dot; empty where none has any."""
    parts = spelled.split(".")
    beginnings = (".".join(parts[:count]) + "." for count in range(len(parts), 0, -1))
    return next((it for it in beginnings if any(name.startswith(it) for name in named)), "")


def _unknown(spelled: str, known: str, named: Collection[str]) -> str:
    """What is wrong with a name that is good up to some place, and what may have been meant."""
    ends = [name.removeprefix(known) for name in named if name.startswith(known)]
    wrong, whole = spelled[len(known) :], quoted(known.rstrip("."))
    if not wrong:
        return f"{whole} has parts, so name one, as in {known}{ends[0]}"
    among = list(islice(ends, _COMPARED_WITH))
    close = get_close_matches(wrong, among) or get_close_matches(wrong.lower(), among)
    meant = " or ".join(f"{known}{end}" for end in close)
    hint = f"; did you mean {meant}?" if meant else "; docs/requirements.md lists the names"
    return f"{f'{whole} has' if known else 'there is'} no {quoted(wrong)}{hint}"


def _operator(found: re.Match[str], quantity: Nameable, spelled: str) -> Operator:
    operator = next((each for each in OPERATORS if each == found[0]), None)
    if operator is None:
        meant = _MEANT.get(found[0])
        _refuse(
            found.start(),
            f"{quoted(found[0])} is no comparison; "
            + (f"did you mean {meant}?" if meant else f"there are {', '.join(OPERATORS)}"),
        )
    if quantity.kind == "word" and operator not in _EQUALITY:
        _refuse(found.start(), f"{spelled} is a word, so compare it by == or !=")
    is_measured = quantity.basis != "exact" or quantity.kind == "seconds"
    if operator in _EQUALITY and quantity.kind != "word" and is_measured:
        _refuse(
            found.start(),
            f"{spelled} is measured, and never exactly some number, so compare it by "
            "<=, <, >= or >",
        )
    return operator


def _word(place: int, text: str, quantity: Nameable) -> str:
    if text not in quantity.words:
        close = get_close_matches(text, quantity.words, n=1)
        hint = f"did you mean {close[0]}?" if close else f"it is {', '.join(quantity.words)}"
        _refuse(place, f"{quantity.spoken} is never {quoted(text)}; {hint}")
    return text


def _number(place: int, text: str, quantity: Nameable, spelled: str) -> float:
    number = NUMBER.match(text)
    if number is None:
        _refuse(place, f"{quoted(text)} is no number")
    unit_at, unit = _trimmed(text, number.end())
    try:
        bound = scaled(number[0], unit, quantity.kind, in_seconds=_in_seconds(quantity, spelled))
    except ValueError as error:
        is_behind = isinstance(error, UnitError) and unit
        _refuse(place + (unit_at if is_behind else 0), str(error))
    wrong = out_of_range(bound, unit, quantity.kind, is_signed=quantity.is_signed)
    if wrong:
        _refuse(place, f"{spelled} is {wrong}")
    return bound


def _in_seconds(quantity: Nameable, spelled: str) -> bool:
    """Whether a name says the unit already; what an arm is called says nothing."""
    parts = quantity.name.split(".")
    own = parts[2:] if parts[0] == "arms" else parts
    says = any(part.endswith("_s") and part in own for part in spelled.split("."))
    return says and quantity.kind == "seconds"


def _refuse(place: int, sentence: str) -> NoReturn:
    raise _FaultError(place, sentence)
