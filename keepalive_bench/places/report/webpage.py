"""Several places as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keepalive_bench
from keepalive_bench.places.report import words
from keepalive_bench.places.report.strips import strips
from keepalive_bench.report import webpage
from keepalive_bench.report.page import summary
from keepalive_bench.report.page.markup import element, prose, set_table
from keepalive_bench.report.page.summary import section
from keepalive_bench.report.preamble import requested
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.places.report import Places

_MOST = 8
"""Places without a result, and differences, that are seen at once; one opens the others."""
_MINUTES = len("2026-01-02T03:04")


def page_lines(found: Places) -> Iterator[str]:
    """The page. It loads nothing, has no script, and its policy forbids both."""
    yield from webpage.document(_title(found), _content(found))


def _title(found: Places) -> str:
    asked = {requested(it.plan) for it in found.places}
    what = asked.pop() if len(asked) == 1 else "Requests"
    return f"{what} from {plural(len(found.places) + len(found.lost), 'place')}"


def _content(found: Places) -> Iterator[Element]:
    yield _header(found)
    if lost := [*words.lost_lines(found)]:
        yield section("Lost or incomplete places", "lost", *_folded(lost, "warning"))
    if not found.places:
        return
    table = set_table(words.place_table(found), narrow=True, captioned=False)
    notes = (words.together(found), words.SMALL_PRINT)
    remarks = (element("p", *prose(it), class_="remark") for it in notes)
    yield section("Places", "places", table, *remarks)
    yield section("Latency distribution", "strips", *strips(found))
    if lines := [*words.difference_lines(found)]:
        yield section("What differs between places", "differences", *_folded(lines, "note"))


def _header(found: Places) -> Element:
    who = element("strong", f"kab {keepalive_bench.__version__}")
    return element(
        "header",
        element("p", who, *_when(found), class_="origin"),
        element("h1", _title(found)),
        *summary.answer(found.sentence, _style(found), found.requirements, strict=found.strict),
    )


def _when(found: Places) -> Iterator[Element | str]:
    """When the first place began, and the last one, if that was later."""
    starts = sorted({it.run_info.started_at[:_MINUTES] for it in found.places})  # in UTC
    for number, at in enumerate(dict.fromkeys((*starts[:1], *starts[-1:]))):
        yield " to " if number else " · "
        yield element("time", f"{at.replace('T', ' ')} UTC", datetime=f"{at}Z")


def _style(found: Places) -> str:
    """The verdict's, where all places have the same."""
    if not found.totals.measured:
        return "not-measured"
    codes = {it.verdict.code for it in found.places}
    return codes.pop() if len(codes) == 1 and not found.lost else "mixed"


def _folded(lines: Sequence[str], style: str) -> Iterator[Element]:
    """A list of sentences, of which the first ones are seen at once."""
    yield _listed(lines[:_MOST], style)
    if others := lines[_MOST:]:
        more = element("summary", f"{len(others):,} more")
        yield element("details", more, _listed(others, style))


def _listed(lines: Sequence[str], style: str) -> Element:
    return element(
        "ul", *(element("li", *prose(it), class_=style) for it in lines), class_="findings"
    )
