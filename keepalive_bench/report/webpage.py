"""A run and its analysis as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.page import sections
from keepalive_bench.report.page.markup import as_html, data_block, element, verbatim
from keepalive_bench.report.page.pool import pool
from keepalive_bench.report.page.sections import section
from keepalive_bench.report.page.spread import spread
from keepalive_bench.report.page.stack import stack
from keepalive_bench.report.page.timeline import timeline
from keepalive_bench.sweep.curve import curve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.results.run import Run

_FOLDER = Path(__file__).with_name("page")
_NO_SCRIPT = "The charts are drawn by a script, which is not run here. All numbers are in tables."


def page_lines(run: Run, analysis: Analysis, *, strict: bool = False) -> Iterator[str]:
    """The page. It loads nothing, and its policy forbids it to.

    `strict`: undecided requirements count as missed.
    """
    library, script = _file("plot", "plot.min.js"), _file("script.js")
    content, data = _content(run, analysis, strict=strict)
    page = element(
        "html",
        head(preamble.headline(analysis), (library, script)),
        element(
            "body",
            element("main", *content),
            data_block("data", data),
            verbatim("script", library),
            verbatim("script", script),
        ),
        lang="en",
    )
    yield "<!DOCTYPE html>\n"
    yield as_html(page)
    yield "\n"


def _content(
    run: Run, analysis: Analysis, *, strict: bool
) -> tuple[list[Element], dict[str, object]]:
    """The page from the top, the verdict first; and what the charts are drawn from."""
    swept = {} if analysis.sweep is None else {"curve": curve(analysis, analysis.sweep)}
    figures = {
        **{name: ("What each value does", figure) for name, figure in swept.items()},
        "spread": ("How latencies spread", spread(run)),
        "timeline": ("Latency over time", timeline(run, analysis)),
        "stack": ("Where the time goes", stack(analysis)),
        "pool": ("The life of the pool", pool(run, analysis)),
    }
    content = [
        sections.verdict(analysis, strict=strict),
        element("noscript", element("p", _NO_SCRIPT)),
        sections.comparison(analysis),
        *sections.requirements(analysis.requirements, strict=strict),
        *(section(heading, name, *it.content) for name, (heading, it) in figures.items()),
        sections.findings(analysis),
        sections.method(run, analysis),
    ]
    drawn = {name: it.data for name, (_, it) in figures.items() if it.data is not None}
    return content, {"labels": [arm.label for arm in analysis.arms], "charts": drawn}


def head(title: str, scripts: tuple[str, ...] = ()) -> Element:
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


def _hash(text: str) -> str:
    """What the policy names an inline script or style by (CSP 3, section 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _file(*path: str) -> str:
    return _FOLDER.joinpath(*path).read_text(encoding="utf-8")
