"""A run and its analysis as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.counted import counted_tables
from keepalive_bench.report.page.command import command, left_out
from keepalive_bench.report.page.latency import spread, stack
from keepalive_bench.report.page.markup import (
    as_html,
    data_block,
    element,
    set_table,
    verbatim,
)
from keepalive_bench.report.page.pool import pool
from keepalive_bench.report.page.timeline import timeline
from keepalive_bench.report.requirements import counted, in_order, undecided_note, worst
from keepalive_bench.report.run_tables import comparison_table
from keepalive_bench.units import duration, plural, rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis, Checked, Finding
    from keepalive_bench.report import Report
    from keepalive_bench.results.run import Run

_FOLDER = Path(__file__).with_name("page")
_NO_SCRIPT = "The charts are drawn by a script, which is not run here. All numbers are in tables."


def page_lines(report: Report) -> Iterator[str]:
    """The page. It loads nothing, and its policy forbids it to."""
    content, data = _content(report)
    scripts = _file("plot", "plot.min.js"), _file("script.js")
    yield from document(preamble.headline(report.analysis), content, data, scripts)


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
    swept = {} if report.swept is None else {"curve": report.swept.chart}
    charts = {
        **{name: ("What each value does", chart) for name, chart in swept.items()},
        "spread": ("How latencies spread", spread(run)),
        "timeline": ("Latency over time", timeline(run, analysis)),
        "stack": ("Where the time goes", stack(analysis)),
        "pool": ("The life of the pool", pool(run, analysis)),
    }
    terms = _circumstances(run, analysis)
    listed = (element(*it) for term, said in terms for it in (("dt", term), ("dd", said)))
    content = [
        _verdict(report),
        element("noscript", element("p", _NO_SCRIPT)),
        _comparison(report),
        *requirements(analysis.requirements, strict=report.strict),
        *(section(heading, name, *it.content) for name, (heading, it) in charts.items()),
        section("Findings", "findings", _findings(analysis)),
        section("How it was measured", "method", element("dl", *listed)),
    ]
    drawn = {name: it.data for name, (_, it) in charts.items() if it.data is not None}
    return content, {"labels": [arm.label for arm in analysis.arms], "charts": drawn}


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


def section(heading: str, name: str, *content: Element) -> Element:
    """A part of the page, which its heading names."""
    title = element("h2", heading, id=f"{name}-heading")
    return element("section", title, *content, aria_labelledby=f"{name}-heading")


def _verdict(report: Report) -> Element:
    """What was asked, and the answer; with how the requirements stand, if there are any."""
    analysis, strict = report.analysis, report.strict
    said, code = preamble.verdict_text(analysis), analysis.verdict.code
    return element(
        "header",
        element("h1", preamble.headline(analysis)),
        *answer(said, code, analysis.requirements, strict=strict),
        element("p", preamble.circumstances(analysis)),
        *(element("p", line, class_="remark") for line in preamble.remarks(analysis)),
    )


def answer(said: str, code: str, checked: Sequence[Checked], *, strict: bool) -> Iterator[Element]:
    """A verdict; nobody should take it for a pass where a requirement is missed."""
    leading = worst(checked, strict=strict)
    yield element("p", said, class_=f"verdict {code} {leading or ''}".strip())
    if leading is not None:
        yield element("p", f"{counted(checked)}.", class_=f"status {leading}")


def _comparison(report: Report) -> Element:
    analysis, swept = report.analysis, report.swept
    tables, below = [], [*preamble.answers(analysis)]
    if swept is None:
        tables.append(comparison_table(analysis, detailed=True).without_empty_columns())
        below.append(preamble.urllib3_counters(analysis))
    else:
        tables.extend(swept.tables)
    tables.extend(counted_tables(analysis))
    remarks = (element("p", line, class_="remark") for line in below)
    return section("Comparison", "comparison", *map(set_table, tables), *remarks)


def requirements(
    checked: Sequence[Checked], *, strict: bool, name: str = "requirements"
) -> Iterator[Element]:
    """What was demanded, if anything was, the worst first."""
    if checked:
        listed = element("ul", *map(_requirement, in_order(checked)), class_="findings")
        note = undecided_note(checked, strict=strict)
        below = [element("p", note, class_="remark")] if note else []
        yield section("Requirements", name, listed, *below)


def _requirement(checked: Checked) -> Element:
    return element(
        "li",
        element("strong", f"{checked.status}: "),
        element("code", checked.requirement.text),
        f" – {checked.text}",
        class_=checked.status,
    )


def _findings(analysis: Analysis) -> Element:
    if not analysis.findings:
        return element("p", "kab noticed nothing unusual.")
    told = (_finding(*each) for each in preamble.told(analysis.findings))
    return element("ul", *told, class_="findings")


def _finding(finding: Finding, words: str) -> Element:
    return element(
        "li",
        element("strong", "Warning: " if finding.severity == "warning" else "Note: "),
        words,
        " ",
        element("code", finding.code),
        class_=finding.severity,
    )


def _circumstances(run: Run, analysis: Analysis) -> Iterator[tuple[str, str]]:
    experiment, rule, machine, run_info = (
        run.plan.experiment,
        run.plan.decision_rule,
        run.environment,
        run.run_info,
    )
    yield "asked", preamble.headline(analysis)
    named = (
        arm.label if arm.label == arm.kind else f"{arm.label} ({arm.kind})"
        for arm in experiment.arms
    )
    yield "arms", ", ".join(named)
    yield "experiment", preamble.circumstances(analysis)
    warmups = plural(experiment.warmup, "warm-up")
    yield "before it", f"{warmups} of each arm, on pools of their own, not counted"
    yield "seed", f"{experiment.seed}"
    yield "judged at", f"{100 * rule.confidence:g} % confidence, margin {rule.margin:g}"
    yield "time limit", f"{duration(run.plan.network.timeout_s)} for each exchange"
    yield "command", command(run.plan)
    without = left_out(run.plan)
    if without:
        yield "which lacks", without
    yield "started", run_info.started_at + (", interrupted" if run_info.interrupted else "")
    cpu, collections = (
        duration(run_info.cpu_s),
        plural(run_info.gc_collections, "garbage collection"),
    )
    yield "took", f"{duration(run_info.wall_s)}, {cpu} of processor time, {collections}"
    versions = f"kab {machine.kab}, urllib3 {machine.urllib3}, {machine.implementation}"
    yield "with", f"{versions} {machine.python}, {machine.openssl}"
    yield "on", f"{machine.os}, {machine.machine}, {plural(machine.cpu_count, 'processor')}"
    rates = [
        f"{arm.label} {rate(arm.requests_per_second)} requests/s"
        for arm in analysis.arms
        if arm.requests_per_second is not None and arm.failed <= arm.succeeded
    ]
    if rates:
        yield "rates", ", ".join(rates)


def _hash(text: str) -> str:
    """What the policy names an inline script or style by (CSP 3, section 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _file(*path: str) -> str:
    return _FOLDER.joinpath(*path).read_text(encoding="utf-8")
