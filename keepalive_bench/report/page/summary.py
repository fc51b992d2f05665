"""The top of the page: who measured what and when, the verdict, what was missed, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.page.markup import element
from keepalive_bench.report.requirements import counted, in_order, undecided_note, worst
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis, Checked, Finding
    from keepalive_bench.report import Report
    from keepalive_bench.results.run import Run

_MOST = 3
"""Findings, and requirements that aren't met, at the top; further ones are below, or open."""
_MARKS = {"missed": "✗", "undecided": "?", "met": "✓"}


def header(report: Report) -> Element:
    """What was asked, and the answer; with how the requirements stand, if there are any."""
    analysis, strict = report.analysis, report.strict
    said, code = preamble.verdict_text(analysis), analysis.verdict.code
    return element(
        "header",
        _origin(report.run),
        element("h1", preamble.headline(analysis)),
        element("p", preamble.circumstances(analysis), class_="remark"),
        *answer(said, code, analysis.requirements, strict=strict),
    )


def _origin(run: Run) -> Element:
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
    """A verdict; nobody should take it for a pass where a requirement is missed."""
    leading = worst(checked, strict=strict)
    yield element("p", said, class_=f"verdict {code} {leading or ''}".strip())
    if leading is None:
        return
    open_ones = [it for it in in_order(checked) if it.status != "met"]
    listed = [_requirement(it) for it in open_ones[:_MOST]]
    if len(open_ones) > _MOST:
        listed.append(element("li", f"and {len(open_ones) - _MOST:,} more, below"))
    yield element(
        "div",
        element("p", f"{_MARKS[leading]} {counted(checked)}."),
        *([element("ul", *listed, class_="findings")] if listed else []),
        class_=f"status {leading}",
    )


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
        element("strong", f"{_MARKS[checked.status]} {checked.status}: "),
        element("code", checked.requirement.text),
        f" – {checked.text}",
        class_=checked.status,
    )


def findings(analysis: Analysis) -> Element:
    """Why it is so: the first few, and the others to open."""
    told = [_finding(*each) for each in preamble.told(analysis.findings)]
    if not told:
        return section("Findings", "findings", element("p", "kab noticed nothing unusual."))
    content = [element("ul", *told[:_MOST], class_="findings")]
    if told[_MOST:]:
        more = f"{plural(len(told[_MOST:]), 'more finding')}"
        others = element("ul", *told[_MOST:], class_="findings")
        content.append(element("details", element("summary", more), others))
    return section("Findings", "findings", *content)


def _finding(finding: Finding, words: str) -> Element:
    return element(
        "li",
        element("strong", "Warning: " if finding.severity == "warning" else "Note: "),
        words,
        " ",
        element("code", finding.code),
        class_=finding.severity,
    )


def section(heading: str, name: str, *content: Element) -> Element:
    """A part of the page, which its heading names."""
    title = element("h2", heading, id=f"{name}-heading")
    return element("section", title, *content, aria_labelledby=f"{name}-heading")
