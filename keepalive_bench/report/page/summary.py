"""The top of the page: who measured what and when, the verdict, what was missed, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.page.markup import element, prose
from keepalive_bench.report.requirements import counted, in_order, undecided_note, worst
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis, Checked, Finding
    from keepalive_bench.report import Report
    from keepalive_bench.results.run import Run

_MOST = 3
"""Findings, and requirements that aren't met, that are seen at once; one opens the others."""
_MARKS = {"missed": "✗", "undecided": "?", "met": "✓"}


def header(report: Report) -> Element:
    """What was asked, and the answer; with how the requirements stand, if there are any."""
    analysis, strict = report.analysis, report.strict
    asked = (preamble.circumstances(analysis), preamble.traffic(analysis))
    said, code = preamble.verdict_text(analysis), analysis.verdict.code
    return element(
        "header",
        origin(report.run),
        element("h1", preamble.headline(analysis)),
        *(element("p", *prose(line), class_="remark") for line in asked if line),
        *answer(said, code, analysis.requirements, strict=strict),
    )


def origin(run: Run) -> Element:
    """Which kab measured, and when."""
    started_at = run.run_info.started_at  # in UTC
    stopped = ", interrupted" if run.run_info.interrupted else ""
    return element(
        "p",
        element("strong", f"kab {run.environment.kab}"),
        " · ",
        element("time", f"{started_at[:10]} {started_at[11:16]} UTC", datetime=started_at),
        stopped,
        class_="origin",
    )


def answer(said: str, code: str, checked: Sequence[Checked], *, strict: bool) -> Iterator[Element]:
    """A verdict, and how requirements stand: nobody should take it for a pass if one is missed."""
    leading = worst(checked, strict=strict)
    yield element("p", *prose(said), class_=f"verdict {code} {leading or ''}".strip())
    if leading is None:
        return
    ordered = in_order(checked)
    first = [it for it in ordered if it.status != "met"][:_MOST]
    content = [element("p", f"{_MARKS[leading]} {counted(checked)}."), *_listed(first)]
    if note := undecided_note(checked, strict=strict):
        content.append(element("p", *prose(note), class_="remark"))
    if others := ordered[len(first) :]:
        which = "other requirement" if first else "requirement"
        summary = element("summary", plural(len(others), which))
        content.append(element("details", summary, *_listed(others)))
    yield element("div", *content, class_=f"status {leading}")


def _listed(checked: Sequence[Checked]) -> Iterator[Element]:
    if checked:
        yield element("ul", *map(_requirement, checked), class_="findings")


def _requirement(checked: Checked) -> Element:
    return element(
        "li",
        element("strong", f"{_MARKS[checked.status]} {checked.status}: "),
        element("code", checked.requirement.text),
        " – ",
        *prose(checked.text),
        class_=checked.status,
    )


def findings(analysis: Analysis) -> Element:
    """Why it is so: the first few, and the others to open, as is what matters to few."""
    told = [*preamble.told(analysis.findings)]
    first = [it for it in told if not it[0].is_detail][:_MOST]
    others = [it for it in told if it not in first]
    nothing = element("p", "kab noticed nothing unusual.")
    content = [_found(first) if first else nothing]
    if others:
        summary = element("summary", plural(len(others), "more finding" if first else "detail"))
        content.append(element("details", summary, _found(others)))
    return section("Findings", "findings", *content)


def _found(told: Sequence[tuple[Finding, str]]) -> Element:
    return element("ul", *(_finding(*each) for each in told), class_="findings")


def _finding(finding: Finding, words: str) -> Element:
    return element(
        "li",
        element("strong", "Warning: " if finding.severity == "warning" else "Note: "),
        *prose(words),
        " ",
        element("code", finding.code),
        class_=finding.severity,
    )


def section(heading: str, name: str, *content: Element) -> Element:
    """A part of the page, which its heading names."""
    title = element("h2", heading, id=f"{name}-heading")
    return element("section", title, *content, aria_labelledby=f"{name}-heading")
