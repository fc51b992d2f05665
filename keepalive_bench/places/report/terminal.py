"""Several places, for a terminal: the answer first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from keepalive_bench.places.report import remarks, words
from keepalive_bench.report.grids import grids
from keepalive_bench.report.terminal import marked, requirement_parts
from keepalive_bench.units import for_terminal, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from keepalive_bench.places.report import Places


def terminal_parts(found: Places, width: int, *, plain_ascii: bool) -> Iterator[RenderableType]:
    """The whole report, for a terminal of a width."""

    def text(said: str, style: str = "") -> Text:
        shown = for_terminal(printable(said), plain_ascii=plain_ascii)
        return Text(shown, style=style, overflow="fold")

    yield text(found.sentence, "bold")
    for line in remarks.caveats(found):
        yield marked("!", for_terminal(line, plain_ascii=plain_ascii))
    if found.places:
        yield Text()
        yield text(remarks.asked(found))
        yield Text()
        yield from grids(words.place_table(found), width, plain_ascii=plain_ascii, breakable=True)
        yield Text()
        yield text(words.together(found))
    lines = [*words.difference_lines(found)]
    if lines:
        yield Text()
        yield Text("What differs between places", style="bold")
    for line in lines:
        yield marked(" ", for_terminal(line, plain_ascii=plain_ascii))
    if found.places:
        yield Text()
        yield text(words.SMALL_PRINT)
    yield from requirement_parts(
        found.requirements, plain_ascii=plain_ascii, strict=found.strict, explaining=True
    )
