"""Single floats as people write them: with the digits that they need, and no more."""

from __future__ import annotations

from array import array
from math import isnan

_BILLION = 1e9
_DIGITS = range(6, 10)


def short_floats(column: array[float]) -> list[float | None]:
    """Seconds with few digits: whole nanoseconds where that is the same single float.

    NaN, which stands for what was not measured, becomes `None`.
    """
    short = [0.0 if isnan(value) else round(value * _BILLION) / _BILLION for value in column]
    return [
        None if isnan(value) else candidate if same == value else _shortest(value)
        for value, candidate, same in zip(column, short, array("f", short), strict=True)
    ]


def _shortest(value: float) -> float:
    """The shortest decimal that is the same single float."""
    for digits in _DIGITS:
        short = float(f"{value:.{digits}g}")
        if array("f", [short])[0] == value:
            break
    return short
