"""What a program did with its connections, as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keepalive_bench
from keepalive_bench.report import webpage
from keepalive_bench.report.page import summary
from keepalive_bench.report.page.markup import element, folded_table, prose, set_table
from keepalive_bench.report.page.summary import section
from keepalive_bench.trace.report import words
from keepalive_bench.trace.report.lanes import lanes, reason_colours
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

    from keepalive_bench.trace.report import TraceReport
    from keepalive_bench.trace.report.words import Explained, OriginPart
    from keepalive_bench.trace.usage import Usage

_TITLE = "Connections of a program"
_MOST_ORIGINS, _MOST_REASONS, _MOST_ROWS = 30, 12, 100
_MOST_OPEN = 6
"""Origins that are explained where nobody asks for more."""


def page_lines(report: TraceReport) -> Iterator[str]:
    """The page. It loads nothing, and its policy forbids it to."""
    usage, chart = report.usage, lanes(report)
    content = [_header(report)]
    if usage.origins:
        found = words.origin_table(usage, _MOST_ROWS)
        table = set_table(found, "Requests and connections of each", narrow=True)
        note = element("p", words.SMALL_PRINT, class_="remark")
        content.append(section("Origins", "origins", table, note))
    if words.explained_origins(usage):
        content += [
            section("Why connections were opened", "why", *_openings(report)),
            element("noscript", element("p", webpage.NO_SCRIPT)),
            section("Connections over time", "traced", *chart.content),
        ]
    if unseen := [*words.not_seen(usage)]:
        listed = element("ul", *(element("li", *prose(line)) for line in unseen))
        content.append(section("What was not seen", "unseen", listed))
    if usage.processes:
        content.append(section("What was traced", "processes", *_processes(usage)))
    charts = {} if chart.data is None else {"traced": chart.data}
    data = {"labels": [], "charts": charts}
    yield from webpage.document(_TITLE, content, data, webpage.chart_scripts())


def _header(report: TraceReport) -> Element:
    usage = report.usage
    if not any(it.requests for it in usage.origins):
        style = "not-measured"
    else:
        style = "avoidable" if any(it.avoidable for it in usage.origins) else "faster"
    started_at = usage.started_at
    when: list[Element | str] = [" · ", _time(started_at)] if started_at else []
    who = element("strong", f"kab {keepalive_bench.__version__}")
    return element(
        "header",
        element("p", who, *when, class_="origin"),
        element("h1", _TITLE),
        element("p", *prose(words.traced(usage)), class_="remark"),
        *summary.answer(usage.sentence, style, report.requirements, strict=report.strict),
    )


def _time(started_at: str) -> Element:
    return element("time", f"{started_at[:10]} {started_at[11:16]} UTC", datetime=started_at)


def _openings(report: TraceReport) -> Iterator[Element]:
    colours = reason_colours(report.usage)
    parts = [*words.origin_parts(report, _MOST_ORIGINS, _MOST_REASONS)]
    for part in parts[:_MOST_OPEN]:
        yield from _origin(part, colours)
    if others := parts[_MOST_OPEN:]:
        count = words.explained_origins(report.usage)
        beyond = count - len(parts)
        left = f", {beyond:,} of them only in the table above" if beyond else ""
        summary_ = element("summary", f"{plural(count - _MOST_OPEN, 'more origin')}{left}")
        yield element(
            "details", summary_, *(it for part in others for it in _origin(part, colours))
        )


def _origin(part: OriginPart, colours: Mapping[str, int]) -> Iterator[Element]:
    yield element("h3", part.heading)
    items = [_opening(it, colours.get(it.reason)) for it in part.reasons]
    if part.more:
        items.append(element("li", part.more))
    if part.first_use is not None:
        items.append(_opening(part.first_use, colours.get(part.first_use.reason)))
    yield element("ul", *items, class_="findings")


def _opening(explained: Explained, colour: int | None) -> Element:
    sign = [] if colour is None else [element("span", class_=f"key arm-{colour}")]
    return element(
        "li",
        *sign,
        *prose(explained.text),
        " ",
        element("code", explained.reason, class_="whole"),
        *([element("br"), *prose(explained.remedy)] if explained.remedy else []),
        *(
            [element("br"), element("code", explained.code, class_="paste")]
            if explained.code
            else []
        ),
        class_=explained.severity,
    )


def _processes(usage: Usage) -> Iterator[Element]:
    yield element("p", *prose(words.traced(usage)))
    shown = usage.processes[:_MOST_ROWS]
    count = words.processes(len(usage.processes))
    caption = count if len(shown) == len(usage.processes) else f"The first {_MOST_ROWS} of {count}"
    yield folded_table(caption, words.PROCESS_WORDS, map(words.process_words, shown))
