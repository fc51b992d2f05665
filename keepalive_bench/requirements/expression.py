"""Text → requirement: `pooled.p95<=50ms`. What is wrong is said with its place in the text."""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from keepalive_bench.analysis import OPERATORS, Requirement
from keepalive_bench.errors import UsageError
from keepalive_bench.requirements.bounds import NUMBER, UnitError, out_of_range, scaled
from keepalive_bench.requirements.names import all_names, resolve
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from keepalive_bench.analysis import Operator
    from keepalive_bench.requirements.names import AnyMetric, Scope, Subject

_LONGEST = 200
_COMPARED_WITH = 8_000
_COMPARISON = r"speedup|mean_ratio|saving|comparisons\[|explained\."
_OPERATOR = r"[=!<>~≤≥≠]+"
_MEANT: dict[str, Operator] = {"=": "==", "===": "==", "=<": "<=", "=>": ">=", "<>": "!="}
_MEANT |= {"≤": "<=", "≥": ">=", "≠": "!="}
_EQUALITY = {"==", "!="}


class _FaultError(Exception):
    """What is wrong with an expression, and the place in its text, from 0."""

    def __init__(self, place: int, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


def parse(text: str, among: Sequence[Scope], start: int = 0) -> Requirement:
    """One requirement, on something that one of these scopes has.

    `start`: where in the text it begins; before that is what it is about (`selection.py`).

    Raises:
        UsageError: it isn't one; with what is wrong with it, and where in it.
    """
    if len(text) - start > _LONGEST:
        raise UsageError(f"A requirement can't be longer than {_LONGEST} characters.")
    try:
        return _parsed(text, among, start)
    except _FaultError as fault:
        raise fault_in(text, fault.place, str(fault)) from None


def fault_in(text: str, place: int, sentence: str) -> UsageError:
    """What is wrong with a requirement, and where in its text, from 0."""
    end = "" if sentence.endswith("?") else "."
    return UsageError(
        f"In the requirement {quoted(text)}, at character {place + 1}: {sentence}{end}"
    )


def _parsed(text: str, among: Sequence[Scope], begin: int) -> Requirement:
    found = re.compile(_OPERATOR).search(text, begin)
    if found is None:
        raise _FaultError(
            len(text.rstrip()),
            "a comparison is missing, such as <=50ms (put the whole in quotes, as a shell "
            "interprets < and >)",
        )
    start, rest = _trimmed(text, found.end())
    name_at, spelled = _trimmed(text[: found.start()], begin)
    if not spelled:
        raise _FaultError(begin, "a name is missing before the comparison")
    subject = resolve(spelled, among)
    if subject is None:
        _refuse_name(name_at, spelled, among)
    operator = _operator(found, subject.metric, spelled)
    if not rest:
        raise _FaultError(start, f"nothing follows the {operator}")
    bound: float | str
    if subject.metric.unit == "word":
        bound = _word(start, rest, subject)
    else:
        bound = _number(start, rest, subject, spelled)
    return Requirement(text, subject.name, operator, bound)


def _trimmed(text: str, start: int) -> tuple[int, str]:
    """What follows in a text without blanks around it, and where it begins."""
    rest = text[start:]
    return start + len(rest) - len(rest.lstrip()), rest.strip()


def _refuse_name(place: int, spelled: str, among: Sequence[Scope]) -> NoReturn:
    if re.match(NUMBER, spelled):
        raise _FaultError(place, "the name comes first, and what it is compared with last")
    parts = {it.part for it in among}
    if re.match(_COMPARISON, spelled) and "arms" in parts and "comparisons" not in parts:
        alone = f"{quoted(spelled)} takes two arms, and there is one"
        raise _FaultError(place, alone)
    named = tuple(dict.fromkeys(all_names(among)))
    known = _longest_known(spelled, named)
    raise _FaultError(place + len(known), _unknown(spelled, known, named))


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
    hint = f"; did you mean {meant}?" if meant else "; kab explain requirements lists the names"
    return f"{f'{whole} has' if known else 'there is'} no {quoted(wrong)}{hint}"


def _operator(found: re.Match[str], metric: AnyMetric, spelled: str) -> Operator:
    operator = next((each for each in OPERATORS if each == found[0]), None)
    if operator is None:
        meant = _MEANT.get(found[0])
        raise _FaultError(
            found.start(),
            f"{quoted(found[0])} isn't a comparison; "
            + (f"did you mean {meant}?" if meant else f"use one of {', '.join(OPERATORS)}"),
        )
    if metric.unit == "word" and operator not in _EQUALITY:
        raise _FaultError(found.start(), f"{spelled} is a word, so compare it with == or !=")
    is_measured = metric.basis != "exact" or metric.unit == "seconds"
    if operator in _EQUALITY and metric.unit != "word" and is_measured:
        raise _FaultError(
            found.start(),
            f"{spelled} is measured, and never exactly a number, so compare it with <=, <, >= or >",
        )
    return operator


def _word(place: int, text: str, subject: Subject) -> str:
    words = subject.metric.words
    if text not in words:
        close = get_close_matches(text, words, n=1)
        hint = f"did you mean {close[0]}?" if close else f"it can be {', '.join(words)}"
        raise _FaultError(place, f"{subject.spoken} is never {quoted(text)}; {hint}")
    return text


def _number(place: int, text: str, subject: Subject, spelled: str) -> float:
    metric, number = subject.metric, re.match(NUMBER, text)
    if number is None:
        raise _FaultError(place, f"{quoted(text)} isn't a number")
    unit_at, unit = _trimmed(text, number.end())
    try:
        bound = scaled(number[0], unit, metric.unit, in_seconds=_in_seconds(subject, spelled))
    except ValueError as error:
        is_behind = isinstance(error, UnitError) and unit
        raise _FaultError(place + (unit_at if is_behind else 0), str(error)) from None
    wrong = out_of_range(bound, unit, metric.unit, is_signed=metric.is_signed)
    if wrong:
        raise _FaultError(place, f"{spelled} is {wrong}")
    return bound


def _in_seconds(subject: Subject, spelled: str) -> bool:
    """Whether a name says the unit already; what an arm is called says nothing."""
    own = subject.metric.path.split(".")
    says = any(part.endswith("_s") and part in own for part in spelled.split("."))
    return says and subject.metric.unit == "seconds"
