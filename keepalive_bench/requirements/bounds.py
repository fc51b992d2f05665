"""Numbers with the units that people write, as the results file has them: `50ms` is 0.05."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.units import duration, quoted, rate, times

if TYPE_CHECKING:
    from keepalive_bench.analysis.metrics import Unit

NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_TIMES = "\N{MULTIPLICATION SIGN}"


class _Notation(NamedTuple):
    """How people write numbers of a unit, and how they are shown to them."""

    scales: dict[str, str]
    """What each way to write it comes to, in the unit of the results file."""
    example: str
    scale: float = 1
    suffix: str = ""


_NOTATIONS: dict[Unit, _Notation] = {
    "seconds": _Notation(
        dict.fromkeys(("us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s"), "1e-6")
        | {"ns": "1e-9", "ms": "1e-3", "s": "1", "min": "60"},
        "50ms or 0.05s",
        1000,
        " ms",
    ),
    "bytes": _Notation(
        {"": "1", "B": "1", "kB": "1e3", "MB": "1e6", "GB": "1e9"}
        | {"KiB": str(2**10), "MiB": str(2**20), "GiB": str(2**30)},
        "512B, 64kB or 64KiB",
        suffix=" B",
    ),
    "share": _Notation({"": "1", "%": "0.01"}, "0.9 or 90%", 100, " %"),
    "points": _Notation({"": "1", "%": "0.01"}, "5% or -5%", 100, " percentage points"),
    "change": _Notation({"%": "0.01"}, "10% or -5%", 100, " %"),
    "ratio": _Notation({"": "1", "x": "1", _TIMES: "1"}, "1.5 or 1.5x", suffix=_TIMES),
    "rate": _Notation({"": "1", "/s": "1", "req/s": "1"}, "100 or 100/s", suffix="/s"),
    "number": _Notation({"": "1"}, "a plain number"),
    "count": _Notation({"": "1"}, "a plain number"),
}
_WHOLE = {"count", "bytes"}
_PERCENT = 100
_FEW_DIGITS, _ALL_DIGITS = 4, 18


class UnitError(ValueError):
    """The unit is at fault, and not the number."""


def scaled(number: str, unit: str, kind: Unit, *, in_seconds: bool = False) -> float:
    """A number in a unit, in the one of the results file; rounded once, from its decimals.

    In seconds, it needs no unit where the name says so already.

    Raises:
        ValueError: what is wrong with it, as the end of a sentence.
    """
    notation = _NOTATIONS[kind]
    scales = notation.scales | ({"": "1"} if in_seconds or not Decimal(number) else {})
    if unit not in scales:
        wrong = f"{quoted(unit)} isn't a unit of it" if unit else "a unit is missing"
        raise UnitError(f"{wrong}: write {notation.example}")
    exact = Decimal(number) * Decimal(scales[unit])
    value = float(exact) + 0.0  # never -0.0
    if not isfinite(value):
        raise ValueError("the number is too large")
    if kind in _WHOLE and exact != exact.to_integral_value():
        raise ValueError("it is a count, and this isn't a whole number")
    return value


def out_of_range(value: float, unit: str, kind: Unit, *, is_signed: bool) -> str:
    """What is wrong with a bound that every run meets, or none, as the end of a sentence."""
    if kind in {"share", "points"} and abs(value) > 1:
        meant = f": write {value:g}%" if not unit and abs(value) <= _PERCENT else ""
        return f"a share, and at most 1 (100 %){meant}"
    if value < 0 and not is_signed:
        return "a count, and never below 0" if kind in _WHOLE else "never below 0"
    return ""


def shown(value: float | str, kind: Unit, beside: float | str | None = None) -> str:
    """A value as a person reads it; with more digits where it would read like what it isn't."""
    if isinstance(value, str):
        return value
    text = _told_apart(value, kind, beside)
    return f"−{text[1:]}" if text.startswith("-") else text  # as in tables


def _told_apart(value: float, kind: Unit, beside: float | str | None) -> str:
    text = _rounded(value, kind)
    if not isinstance(beside, float) or value == beside or text != _rounded(beside, kind):
        return text
    told_apart = (
        text
        for digits in range(_FEW_DIGITS, _ALL_DIGITS)
        if (text := _precise(value, kind, digits)) != _precise(beside, kind, digits)
    )
    return next(told_apart, None) or _in_decimals(value, kind)


def _rounded(value: float, kind: Unit) -> str:
    if kind == "seconds":
        return duration(value)
    if kind == "ratio":
        return times(value)
    if kind == "rate":
        return f"{rate(value)}/s"
    if kind in _WHOLE:
        return f"{value:,.0f}{_NOTATIONS[kind].suffix}"
    return _precise(value, kind, _FEW_DIGITS)


def _precise(value: float, kind: Unit, digits: int) -> str:
    notation = _NOTATIONS[kind]
    return f"{notation.scale * value:,.{digits}g}{notation.suffix}"


def _in_decimals(value: float, kind: Unit) -> str:
    """A number and its neighbour may be one float in the unit; in decimals they are two."""
    notation = _NOTATIONS[kind]
    exact = Decimal(notation.scale) * Decimal(value)
    return f"{exact:,.{_ALL_DIGITS - 1}g}{notation.suffix}"
