"""Numbers and foreign text as a person reads them; units appear here, at the edge, only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_KIB = 1024.0
_MILLISECOND = 1e-3
_SECOND_FROM = 0.9995  # what would read 1000 ms reads 1.00 s
_HUNDRED, _TEN, _ONE = 99.95, 9.995, 0.9995  # likewise at each power of ten
_MORE_DECIMALS = (2, 3, 4)
_MANY = 999.95  # what would read 1000.0 reads 1,000
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
MISSING = "–"
_SIGNS = {"±": "+/-", "≤": "<=", "≥": ">=", "≠": "!=", "÷": "/", "−": "-", "×": "x"}
_IN_ASCII = str.maketrans({"–": "-", "·": "-", "…": "...", "→": "->", **_SIGNS})
LONGEST_S = 1e6
"""Seconds that anything may last or wait: 11 days. A socket's timeout ends at 2**31 ms."""
_GROUPS = "[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*"
_ADDRESS_OR_COLONS = (
    # An IPv6 address stays readable where no terminal of 40 columns or more can fold its word
    # before the colons: not at the word's beginning, but near to it.
    r"(?<!\S)(?=(?:(?!::)[!-~]){1,24}::)"
    rf"((?:(?:(?!::)\S)*[\['\"(])?(?:{_GROUPS})?::(?:{_GROUPS})?)(?!\w|::)"
    "|::"
)
_UNPRINTABLE = (*range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F))
_ISOLATES = range(0x2066, 0x206A)
_IN_JSON = (
    ("##", r"#\u0023"),
    *((chr(code), f"\\u{code:04x}") for code in (*_UNPRINTABLE, *_ISOLATES)),
)
"""Controls that `json` leaves as they are: of terminals, of lines, and of directions."""
REDACTED = "***"
_LONGEST = 80
_HEAD, _TAIL = 50, 29
_ATS = ("@", "\N{FULLWIDTH COMMERCIAL AT}", "\N{SMALL COMMERCIAL AT}", "%40")
_UP_TO_AT = rf"(?si)^(\s*(?:[a-z][a-z0-9+.-]*://+|https?:/*|//+)?).*({'|'.join(_ATS)})"


def duration(seconds: float | None) -> str:
    """Seconds with three significant digits: `21.2 ms`, `1.45 s`, `0.310 ms`."""
    if seconds is None:
        return MISSING
    if abs(seconds) >= _SECOND_FROM:
        return f"{_three_digits(seconds)} s"
    return f"{_three_digits(seconds / _MILLISECOND)} ms"


def between(least: float, most: float) -> str:
    """From a least to a most time, in seconds, in one unit: `1.00 to 1.12 s`; or both alike."""
    unit, name = (1.0, "s") if abs(most) >= _SECOND_FROM else (_MILLISECOND, "ms")
    ends = dict.fromkeys(_three_digits(time_s / unit) for time_s in (least, most))
    return f"{' to '.join(ends)} {name}"


def told_apart(least: float, most: float) -> str:
    """The same, with as many digits as it takes to see that they are two times."""
    said = between(least, most)
    if " to " in said or least == most:
        return said
    for decimals in _MORE_DECIMALS:
        ends = [f"{it:.{decimals}f}" for it in (least, most)]
        if ends[0] != ends[1]:
            return f"{' to '.join(ends)} s"
    return said


def difference(seconds: float | None) -> str:
    """How many seconds more, or less: `+3.10 ms`, `−38.0 ms`."""
    said = duration(seconds)
    if not seconds or not said.strip("-0. ms"):
        return said.removeprefix("-")
    return f"−{said[1:]}" if seconds < 0 else f"+{said}"


def interval(
    low: float,
    high: float,
    *,
    beside: float | None,
    said: Callable[[float | None], str] = duration,
) -> str:
    """Seconds from … to …, beside an estimate, whose unit they share: `[41.2 … 41.9]`.

    With their units, where one of them is another: `8.32 ms [-2.08 s … 2.10 s]`. `said`: how each
    is said, a `duration` or a `difference`.
    """
    ends = [said(low), said(high)]
    units = {end.partition(" ")[2] for end in (*ends, said(beside))}
    if len(units) == 1:
        ends = [end.partition(" ")[0] for end in ends]
    return f"[{ends[0]} … {ends[1]}]"


def _three_digits(value: float) -> str:
    for decimals, below in enumerate((_HUNDRED, _TEN, _ONE)):
        if abs(value) >= below:
            return f"{value:.{decimals}f}"
    return f"{round(value, 3) + 0.0:.3f}"  # never -0.000


def size(count: float) -> str:
    """Bytes in binary units: `512 B`, `1.5 KiB`."""
    value = float(count)
    for unit in _BYTE_UNITS[:-1]:
        text = f"{value:.0f}" if unit == "B" else f"{value:.1f}"
        if float(text) < _KIB:  # what would read 1024.0 KiB reads 1.0 MiB
            return f"{text} {unit}"
        value /= _KIB
    return f"{value:.1f} {_BYTE_UNITS[-1]}"


def rate(per_second: float | None) -> str:
    """Requests per second: `0.033`, `44.6`, `3,120`."""
    if per_second is None:
        return MISSING
    if per_second < _ONE:
        return f"{per_second:.3f}"
    return f"{per_second:.1f}" if per_second < _MANY else f"{per_second:,.0f}"


def share(part: float | None) -> str:
    """A share as `40.0 %`; what isn't all of it doesn't read as if it were, nor as none."""
    if part is None:
        return MISSING
    percent = 100 * part
    return f"{percent:.0f} %" if percent in {0, 100} else f"{min(max(percent, 0.1), 99.9):.1f} %"


def percent(part: float, form: str = "g") -> str:
    """A share in a sentence: `95 %`, `99.9 %`; `form` is how `format` writes the number."""
    return f"{100 * part:{form}} %"


def times(ratio: float | None) -> str:
    """A ratio as `2.97×`."""
    return MISSING if ratio is None else f"{ratio:.2f}×"


def signed_share(share: float | None) -> str:
    """A change as `+12.3 %`, `−0.4 %`, `+1,200 %`."""
    if share is None:
        return MISSING
    percent = 100 * share
    decimals = 1 if abs(percent) < _MANY else 0
    rounded = round(percent, decimals) + 0.0  # never -0.0
    return f"{rounded:+,.{decimals}f} %".replace("-", "−")


def enumerated(words: Sequence[str]) -> str:
    """`a, b and c`; one word at least."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def plural(count: int, noun: str) -> str:
    """`1 request`, `2 requests`, `1,000 requests`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def for_terminal(text: str, *, plain_ascii: bool) -> str:
    """Text in the characters that a terminal has."""
    return text.translate(_IN_ASCII) if plain_ascii else text


def printable(text: str) -> str:
    r"""Text from outside, safe in a terminal and in a CI system's log.

    What doesn't print is escaped (`\x1b`, `\n`): line and paragraph separators, bidirectional
    controls and lone surrogates don't either, so neither an escape sequence nor a reordered line
    gets through. What a CI system would carry out is broken up (`:\x3aerror:\x3a`,
    `#\x23vso[`), wherever it stands: wrapping may move it to the beginning of a line.
    """
    if not text.isprintable():
        text = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
            for char in text
        )
    if "##" in text:
        text = text.replace("##", r"#\x23")
    if "::" in text:
        text = re.sub(_ADDRESS_OR_COLONS, lambda found: found[1] or r":\x3a", text)
    return text


def json_in_log(text: str) -> str:
    r"""JSON as `json` wrote it, made safe in a terminal and a CI system's log, values the same.

    `##` stands in strings only, where `\u0023` is a `#`. A line begins with `::` only if a string
    is broken there, as some readers do at the separators that `json` leaves as they are.
    """
    for found, escaped in _IN_JSON:
        text = text.replace(found, escaped)
    return text


def quoted(text: str) -> str:
    """The user's own input in quotes, for a sentence about it."""
    return clipped(_without_password(text), "'")


def shortened(text: str) -> str:
    """The user's own input for a sentence about it: no more than its beginning and its end.

    What may be a URL, in whatever place, is shown without its password.
    """
    return clipped(_without_password(text))


def _without_password(text: str) -> str:
    return without_userinfo(text) if _has_at(text.partition(":")[2]) else text


def filename(path: object) -> str:
    """A file's name for a sentence: its beginning and its end where it is long."""
    return shortened(str(path))


def clipped(text: str, mark: str = "") -> str:
    """A text that may be of any length: whole, or its beginning and its end; between marks."""
    shown = printable(f"{mark}{_ends(text)}{mark}")
    return f"{mark}{_ends(shown[len(mark) : len(shown) - len(mark)])}{mark}"


def _ends(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_HEAD]}…{text[-_TAIL:]}"


def without_userinfo(text: str) -> str:
    """Starred up to its last `@`, what may be a URL with a password in it.

    Passwords have `/`, `?`, `#` and blanks in them, where a parser would end the host.
    """
    return re.sub(_UP_TO_AT, rf"\1{REDACTED}\2", text) if _has_at(text) else text


def _has_at(text: str) -> bool:
    return any(at in text for at in _ATS)
