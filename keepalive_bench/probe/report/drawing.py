"""The time line for a terminal, in characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.probe.report.timeline import BANDS, SIGNS, scale_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.probe.report.timeline import Band, BandKind, Lane, Sign, Timeline

_WIDEST, _NARROWEST = 100, 16
"""Characters of the axis: a wider one shows no more."""


class _Characters(NamedTuple):
    bar: str
    signs: dict[Sign, str]
    """In one place, a later one hides those before it."""
    bands: dict[BandKind, str]
    times: str
    tick: str


_UNICODE = _Characters(
    "─",
    {"open": "→", "answered": "●", "closed": "│", "died": "✗"},
    {"drop": "░", "window": "▒"},
    "×",
    "╵",
)
_ASCII = _Characters(
    "-",
    {"open": ">", "answered": "o", "closed": "|", "died": "x"},
    {"drop": ":", "window": "#"},
    "x",
    "'",
)


def drawn_lines(it: Timeline, width: int, *, plain_ascii: bool) -> Iterator[str]:
    """Its lines; none where a terminal is too narrow for it."""
    chars = _ASCII if plain_ascii else _UNICODE
    labels = [lane.label.replace("×", chars.times) for lane in it.lanes]
    names = [*labels, *(BANDS[band.kind] for band in it.bands)]
    before = max(map(len, names))
    columns = min(_WIDEST, width - before - 2)
    if columns < _NARROWEST:
        return
    drawn = [*(_lane(lane, columns, chars) for lane in it.lanes)]
    drawn += [_band(band, columns, chars) for band in it.bands]
    for name, line in zip(names, drawn, strict=True):
        yield f"{name:>{before}}  {line}".rstrip()
    for line in _scale(it, columns, chars):
        yield f"{'':{before}}  {line}".rstrip()
    yield from _key(it, width, chars, there="".join(drawn))


def _column(at: float, columns: int) -> int:
    return min(columns - 1, round(at * (columns - 1)))


def _lane(lane: Lane, columns: int, chars: _Characters) -> str:
    cells = [chars.bar] * (_column(lane.until, columns) + 1)
    for sign, char in chars.signs.items():
        for mark in lane.drawn:
            if mark.sign == sign:
                cells[_column(mark.at, columns)] = char
    return "".join(cells)


def _band(band: Band, columns: int, chars: _Characters) -> str:
    first, last = _column(band.begins, columns), _column(band.ends, columns)
    shaded = chars.bands[band.kind] * (last - first + 1)
    if last + 1 + 1 + len(band.text) <= columns:
        return f"{' ' * first}{shaded} {band.text}"
    if len(band.text) + 1 <= first:
        return f"{band.text:>{first - 1}} {shaded}"
    return f"{' ' * first}{shaded}"


def _scale(it: Timeline, columns: int, chars: _Characters) -> Iterator[str]:
    marks, numbers = [" "] * columns, [" "] * columns
    free = 0
    for at, words in it.ticks:
        column = _column(at, columns)
        start = max(0, min(column - len(words) // 2, columns - len(words)))
        if start >= free:
            marks[column] = chars.tick
            numbers[start : start + len(words)] = words
            free = start + len(words) + 1
    yield "".join(marks)
    yield "".join(numbers)


def _key(it: Timeline, width: int, chars: _Characters, *, there: str) -> Iterator[str]:
    """What the signs mean that are there, in as many lines as that takes."""
    signs = [sign for sign in it.signs if chars.signs[sign] in there]
    entries = [scale_words(it), *(f"{chars.signs[sign]} {SIGNS[sign]}" for sign in signs)]
    line = ""
    for entry in entries:
        joined = f"{line}   {entry}" if line else entry
        if len(joined) > width and line:
            yield line
            joined = entry
        line = joined
    yield line
