"""Numbers with the units that people write, as the results file has them: `50ms` is 0.05."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from keepalive_bench.units import duration, quoted, rate, times

if TYPE_CHECKING:
    from keepalive_bench.analysis.metrics import Unit

NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_MICRO = "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s"
_SCALES: dict[Unit, dict[str, str]] = {
    "seconds": {"ns": "1e-9", "us": "1e-6", **dict.fromkeys(_MICRO, "1e-6"), "ms": "1e-3"}
    | {"s": "1", "min": "60"},
    "bytes": {"": "1", "B": "1", "kB": "1e3", "MB": "1e6", "GB": "1e9"}
    | {"KiB": str(2**10), "MiB": str(2**20), "GiB": str(2**30)},
    "share": {"": "1", "%": "0.01"},
    "change": {"%": "0.01"},
    "ratio": {"": "1", "x": "1", "\N{MULTIPLICATION SIGN}": "1"},
    "number": {"": "1"},
    "rate": {"": "1", "/s": "1", "req/s": "1"},
    "count": {"": "1"},
}
_WHOLE = {"count", "bytes"}
_UNITS: dict[Unit, tuple[float, str]] = {
    "seconds": (1000, " ms"),
    "bytes": (1, " B"),
    "share": (100, " %"),
    "change": (100, " %"),
    "ratio": (1, "\N{MULTIPLICATION SIGN}"),
    "number": (1, ""),
    "rate": (1, "/s"),
    "count": (1, ""),
}
_PERCENT = 100
_FEW_DIGITS, _ALL_DIGITS = 4, 18
_SHOWN = {"seconds": "50ms or 0.05s", "bytes": "512B, 64kB or 64KiB", "share": "0.9 or 90%"} | {
    "ratio": "1.5 or 1.5x",
    "change": "10% or -5%",
    "rate": "100 or 100/s",
    "count": "a plain number",
    "number": "a plain number",
}


class UnitError(ValueError):
    """The unit is at fault, and not the number."""


def scaled(number: str, unit: str, kind: Unit, *, in_seconds: bool = False) -> float:
    """A number in a unit, in the one of the results file; rounded once, from its decimals.

    In seconds, it needs no unit where the name says so already.

    Raises:
        ValueError: what is wrong with it, as the end of a sentence.
    """
    scales = _SCALES[kind] | ({"": "1"} if in_seconds or not Decimal(number) else {})
    if unit not in scales:
        wrong = f"{quoted(unit)} is no unit of it" if unit else "a unit is missing"
        raise UnitError(f"{wrong}: write {_SHOWN[kind]}")
    exact = Decimal(number) * Decimal(scales[unit])
    value = float(exact) + 0.0  # never -0.0
    if not isfinite(value):
        raise ValueError("the number is too large")
    if kind in _WHOLE and exact != exact.to_integral_value():
        raise ValueError("it is counted, and this is no whole number")
    return value


def out_of_range(value: float, unit: str, kind: Unit, *, is_signed: bool) -> str:
    """What is wrong with a bound that every run meets, or none, as the end of a sentence."""
    if kind == "share" and abs(value) > 1:
        meant = f": write {value:g}%" if not unit and abs(value) <= _PERCENT else ""
        return f"a share, and at most 1, which is 100%{meant}"
    if value < 0 and not is_signed:
        return "counted, and never below 0" if kind in _WHOLE else "never below 0"
    return ""


def written(value: float, kind: Unit) -> str:
    """A bound as `scaled` reads it back, to the last digit."""
    return f"{value!r}{'s' if kind == 'seconds' else ''}"


def shown(value: float | str, kind: Unit, beside: float | str | None = None) -> str:
    """A value as a person reads it; with more digits where it would read like what it isn't."""
    if isinstance(value, str):
        return value
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
        return f"{value:,.0f}{_UNITS[kind][1]}"
    return _precise(value, kind, _FEW_DIGITS)


def _precise(value: float, kind: Unit, digits: int) -> str:
    scale, unit = _UNITS[kind]
    return f"{scale * value:,.{digits}g}{unit}"


def _in_decimals(value: float, kind: Unit) -> str:
    """A number and its neighbour may be one float in the unit; in decimals they are two."""
    scale, unit = _UNITS[kind]
    return f"{Decimal(scale) * Decimal(value):,.{_ALL_DIGITS - 1}g}{unit}"
