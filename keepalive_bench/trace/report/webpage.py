"""What a program did with its connections, as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keepalive_bench
from keepalive_bench.report import webpage
from keepalive_bench.report.page import summary
from keepalive_bench.report.page.markup import element, prose, set_table
from keepalive_bench.report.page.summary import section
from keepalive_bench.trace.report import words
from keepalive_bench.trace.report.lanes import lanes, reason_colours
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Finding
    from keepalive_bench.trace.report import TraceReport

_TITLE = "Connections of a program"
_MOST_ORIGINS, _MOST_REASONS, _MOST_ROWS = 30, 12, 100


def page_lines(report: TraceReport) -> Iterator[str]:
    """The page. It loads nothing, and its policy forbids it to."""
    usage, chart = report.usage, lanes(report)
    content = [_header(report)]
    if usage.origins:
        table = set_table(words.origin_table(usage, _MOST_ROWS), caption="Origins")
        note = element("p", words.SMALL_PRINT, class_="remark")
        content += [
            section("Origins", "origins", table, note),
            section("Why connections were opened", "why", *_openings(report)),
            element("noscript", element("p", webpage.NO_SCRIPT)),
            section("Connections over time", "traced", *chart.content),
        ]
    content.append(section("What was seen", "seen", _seen(report)))
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
    shown = 0
    for part in words.origin_parts(report, _MOST_ORIGINS, _MOST_REASONS):
        shown += 1
        yield element("h3", part.heading)
        items = [_opening(it, colours.get(it.code)) for it in part.findings]
        if part.more:
            items.append(element("li", part.more))
        yield element("ul", *items, class_="findings")
    left = words.explained_origins(report.usage) - shown
    if left > 0:
        yield element("p", f"{plural(left, 'more origin')}.", class_="remark")


def _opening(finding: Finding, colour: int | None) -> Element:
    sign = [] if colour is None else [element("span", class_=f"key arm-{colour}")]
    return element(
        "li",
        *sign,
        *prose(finding.text),
        " ",
        element("code", finding.code),
        *([element("br"), *prose(finding.advice)] if finding.advice else []),
        class_=finding.severity,
    )


def _seen(report: TraceReport) -> Element:
    lines = [*words.not_seen(report.usage), words.traced(report.usage)]
    return element("ul", *(element("li", *prose(line)) for line in lines))
