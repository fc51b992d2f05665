"""Requirements as test cases, in the XML that CI systems read (JUnit's, of Ant and Jenkins).

There is no standard; this is what both the schema of Ant's task and that of Jenkins' plug-in have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from keepalive_bench.report import preamble
from keepalive_bench.report.requirements import explained
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Checked
    from keepalive_bench.report import Report
    from keepalive_bench.results.measured import RunInfo

_MEASUREMENT, _REQUIREMENT = "kab.measurement", "kab.requirement"
_TO_THE_SECOND = len("2026-01-02T03:04:05")


class Took(NamedTuple):
    """When what is reported began, and how long it took."""

    wall_s: float
    started_at: str


def junit_lines(report: Report) -> Iterator[str]:
    """The document's lines. What is undecided is skipped; where that is strict, it failed."""
    run, analysis = report.run, report.analysis
    name = preamble.headline(analysis)
    error = "" if analysis.has_answers else preamble.nothing_measured(analysis)
    cases = [measurement_case(name, run.run_info.wall_s, error=error)]
    cases += [requirement_case(checked, strict=report.strict) for checked in analysis.requirements]
    properties = {
        "url": analysis.plan.target.shown,
        "verdict": analysis.verdict.code,
        "kab": run.environment.kab,
        "python": run.environment.python,
        "urllib3": run.environment.urllib3,
        "os": run.environment.os,
        "started_at": run.run_info.started_at,
    }
    found = (f"{it.severity}: {words}" for it, words in preamble.told(analysis.findings))
    notes = [analysis.verdict.text, *found]
    return suites_lines([suite(name, cases, run.run_info, properties, notes)])


def measurement_case(name: str, time_s: float, *, error: str = "", skipped: str = "") -> ET.Element:
    """Whether anything was measured at all; requests that failed are a matter of requirements.

    `error` says why nothing was, `skipped` why it says nothing and yet is no failure.
    """
    if error:
        return _case(_MEASUREMENT, name, time_s, "error", "not-measured", error)
    outcome = "skipped" if skipped else ""
    return _case(_MEASUREMENT, name, time_s, outcome, "not-comparable", skipped)


def requirement_case(checked: Checked, *, strict: bool) -> ET.Element:
    """How a requirement stands. What is undecided is skipped; where that is `strict`, it failed."""
    outcomes = {"met": "", "missed": "failure", "undecided": "failure" if strict else "skipped"}
    outcome, asked = outcomes[checked.status], checked.requirement.text
    case = _case(_REQUIREMENT, asked, 0.0, outcome, checked.status, checked.text)
    if outcome:
        case[0].text = explained(checked)
    return case


def suite(
    name: str,
    cases: Sequence[ET.Element],
    run_info: RunInfo | Took,
    properties: Mapping[str, str],
    notes: Iterable[str],
    *,
    number: int = 0,
) -> ET.Element:
    """The test cases of one run, what they ran with, and what was noticed."""
    made = ET.Element(
        "testsuite",
        {
            "name": printable(name),
            "tests": str(len(cases)),
            "failures": str(_count(cases, "failure")),
            "errors": str(_count(cases, "error")),
            "skipped": str(_count(cases, "skipped")),
            "time": f"{run_info.wall_s:.3f}",
            "timestamp": run_info.started_at[:_TO_THE_SECOND],
            "hostname": "localhost",  # so Ant's schema has it where a host isn't told
            "id": str(number),
            "package": "kab",
        },
    )
    told = ET.SubElement(made, "properties")
    for key, value in properties.items():
        ET.SubElement(told, "property", {"name": key, "value": printable(value) or "-"})
    made.extend(cases)
    ET.SubElement(made, "system-out").text = "\n".join(printable(note) for note in notes)
    ET.SubElement(made, "system-err")
    return made


def suites_lines(suites: Iterable[ET.Element]) -> Iterator[str]:
    """The document's lines."""
    whole = ET.Element("testsuites")
    whole.extend(suites)
    ET.indent(whole)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield ET.tostring(whole, encoding="unicode") + "\n"


def _count(cases: Iterable[ET.Element], outcome: str) -> int:
    return sum(case.find(outcome) is not None for case in cases)


def _case(  # all that there is to a case
    classname: str, name: str, time_s: float, outcome: str, kind: str, words: str
) -> ET.Element:
    """A test case; without an `outcome`, it passed."""
    told = {"classname": classname, "name": printable(name), "time": f"{time_s:.3f}"}
    case = ET.Element("testcase", told)
    if outcome:
        message = printable(words)
        its_kind = {} if outcome == "skipped" else {"type": kind}
        ET.SubElement(case, outcome, {"message": message, **its_kind}).text = message
    return case
