"""`--junit`, as a program reads it that CI systems' users have, and by the two schemas in use."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from support.exports import everything, nothing, written
from support.runs import Script, paired_run

from keepalive_bench import DecisionRule, analyse
from keepalive_bench.cli.session import report_of
from keepalive_bench.report.junit import junit_lines
from keepalive_bench.report.markdown import text
from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    from keepalive_bench import Run

_CASE = {"classname", "name", "time"}
ATTRIBUTES = {
    "testsuites": set[str](),
    "testsuite": {
        *("name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"),
        *("id", "package"),
    },
    "properties": set[str](),
    "property": {"name", "value"},
    "testcase": _CASE,
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set[str](),
    "system-err": set[str](),
}
"""What both Ant's schema and that of Jenkins' xunit plug-in allow; all of it is written."""
CHILDREN = {
    "testsuites": "(testsuite )+",
    "testsuite": "properties (testcase )*system-out system-err ",
    "properties": "(property )*",
    "testcase": "((skipped|error|failure) )?",
}
RUNS = {"all": everything(), "none": nothing(), "plain": paired_run([0.01] * 9, [0.02] * 9)}


def root(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314  # kab's own XML


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_it_has_what_the_schemas_have_in_their_order(run: Run) -> None:
    for element in root(written("junit", run)).iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        children = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(CHILDREN.get(element.tag, ""), children), element.tag
        for name in ("tests", "failures", "errors", "skipped"):
            assert element.get(name, "0").isdigit()
        assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))  # Jenkins' allows no more
        if element.tag == "testsuite":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.attrib["timestamp"])


def test_each_requirement_is_a_test_case_and_so_is_the_measurement() -> None:
    (suite,) = JUnitXml.fromstring(written("junit", everything()).encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 1, 0, 1)
    cases = {case.name: case for case in suite}
    assert list(cases)[1:] == ["reopened==0", "pooled.p95<=50ms", "failed<=2"]
    outcomes = [type(case.result[0]) if case.result else None for case in suite]
    assert outcomes == [None, Failure, Skipped, None]
    checked = {it.requirement.text: it for it in analyse(everything()).requirements}
    for name in ("reopened==0", "pooled.p95<=50ms"):
        assert cases[name].result[0].message == checked[name].text


@pytest.mark.parametrize("dialect", ["junit", "markdown"])
def test_what_was_missed_is_told_with_the_finding_that_says_why(dialect: str) -> None:
    script = Script("pooled", requests=9)
    ending = Ending("fin", 0.01, 0.0)
    for _ in range(9):
        script.send("pooled", 0.01, on=script.open("pooled", ended_s=99.0, ending=ending))
    rule = DecisionRule(requirements=("reopened==0", "p50<=5ms"))
    run = script.run()._replace(plan=replace(script.plan, decision_rule=rule))
    counted, timed = analyse(run).requirements
    (because,) = counted.because
    assert (counted.status, timed.status, timed.because) == ("missed", "missed", ())
    told = f"{counted.text} {because.text} {because.advice}"
    if dialect == "junit":
        failed, late = root(written("junit", run)).iter("failure")
        assert failed.text == f"reopened==0: {told}"
        assert late.text == f"p50<=5ms: {timed.text}"
    else:
        assert f"`reopened==0` | {text(told)} |" in written("markdown", run)


def test_undecided_is_a_failure_where_that_is_strict() -> None:
    run = everything()
    (suite,) = JUnitXml.fromstring("".join(junit_lines(report_of(run, strict=True))).encode())
    assert (suite.failures, suite.skipped) == (2, 0)


def test_a_run_without_an_answer_is_an_error() -> None:
    (suite,) = JUnitXml.fromstring(written("junit", nothing()).encode())
    (case,) = suite
    assert suite.errors == 1
    assert isinstance(case.result[0], Error)
    assert "Nothing could be measured of" in case.result[0].message


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_nothing_is_in_it_that_xml_forbids(run: Run) -> None:
    text = written("junit", run)
    assert all(char == "\n" or char.isprintable() for char in text)
    assert "<script>" not in text
