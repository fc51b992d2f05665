"""A run and its analysis as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.counted import counted_tables
from keepalive_bench.report.histogram import histogram, latencies_of
from keepalive_bench.report.page.interval import forest
from keepalive_bench.report.page.latency import BINS, spread, stack
from keepalive_bench.report.page.markup import (
    as_html,
    data_block,
    element,
    set_table,
    verbatim,
)
from keepalive_bench.report.page.method import method
from keepalive_bench.report.page.pool import pool
from keepalive_bench.report.page.summary import findings, header, section
from keepalive_bench.report.page.timeline import timeline
from keepalive_bench.report.run_tables import comparison_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.report import Report

_FOLDER = Path(__file__).with_name("page")
NO_SCRIPT = "The charts are drawn by a script, which is not run here. All numbers are in tables."


def page_lines(report: Report) -> Iterator[str]:
    """The page. It loads nothing, and its policy forbids it to."""
    content, data = _content(report)
    yield from document(preamble.headline(report.analysis), content, data, chart_scripts())


def chart_scripts() -> tuple[str, ...]:
    """What draws the charts."""
    return _file("plot", "plot.min.js"), _file("script.js")


def document(
    title: str, content: Iterable[Element], data: object = None, scripts: tuple[str, ...] = ()
) -> Iterator[str]:
    """A whole page; `data` are what the `scripts` read, where there are some."""
    main = element("main", *content)
    drawing = [data_block("data", data), *(verbatim("script", it) for it in scripts)]
    body = element("body", main, *(drawing if scripts else ()))
    yield "<!DOCTYPE html>\n"
    yield as_html(element("html", _head(title, scripts), body, lang="en"))
    yield "\n"


def _content(report: Report) -> tuple[list[Element], dict[str, object]]:
    """The page from the top, the verdict first; and what the charts are drawn from."""
    run, analysis = report.run, report.analysis
    swept = {} if report.swept is None else {"curve": ("What each value does", report.swept.chart)}
    latencies = latencies_of(run)
    shown = histogram(latencies, BINS, from_zero=True)
    charts = {
        **swept,
        "pool": ("The life of the pool", pool(run, analysis)),
        "spread": ("Latency distribution", spread(analysis, latencies, shown)),
        "timeline": ("Latency over time", timeline(run, analysis, shown)),
        "stack": ("Where the time goes", stack(analysis)),
    }
    ratios = forest(analysis) if report.swept is None else []
    content = [
        header(report),
        findings(analysis),
        *([section("Speed-up", "interval", *ratios)] if ratios else []),
        element("noscript", element("p", NO_SCRIPT)),
        *(section(heading, name, *it.content) for name, (heading, it) in charts.items()),
        _numbers(report),
        section("How it was measured", "method", *method(report)),
    ]
    drawn = {name: it.data for name, (_, it) in charts.items() if it.data is not None}
    return content, {"labels": [arm.name for arm in analysis.arms], "charts": drawn}


def _head(title: str, scripts: tuple[str, ...]) -> Element:
    """What comes before the page's content; its policy allows what it names, and nothing else."""
    style = _file("style.css")
    allowed = f"script-src {' '.join(map(_hash, scripts))}" if scripts else "script-src 'none'"
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src {_hash(style)}; {allowed}"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{title} – kab"),
        element("link", rel="icon", href="data:,"),  # or a browser asks the server for one
        verbatim("style", style),
    )


def _numbers(report: Report) -> Element:
    """All that is counted and timed, in the words of every other report."""
    analysis, swept = report.analysis, report.swept
    compared = [comparison_table(analysis, detailed=True).without_empty_columns()]
    tables = [*(compared if swept is None else swept.tables), *counted_tables(analysis)]
    lines = [*preamble.answers(analysis)]
    if swept is None:
        lines.append(preamble.urllib3_disagrees(analysis))
    remarks = (element("p", line, class_="remark") for line in lines if line)
    return section("Counts and times", "numbers", *map(set_table, tables), *remarks)


def _hash(text: str) -> str:
    """What the policy names an inline script or style by (CSP 3, section 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _file(*path: str) -> str:
    return _FOLDER.joinpath(*path).read_text(encoding="utf-8")
