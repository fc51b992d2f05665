"""`--github`, read back as GitHub's runner does it: a command a line, and no other."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from support.exports import everything, nothing
from support.orders import ORDERS, orders_in
from support.runs import Script, paired_run

from keepalive_bench import DecisionRule, Run, analyse
from keepalive_bench.cli.session import report_of
from keepalive_bench.report.github import annotation, annotation_lines
from keepalive_bench.results.exchange import Ending
from keepalive_bench.units import printable

_COMMAND = re.compile(r"::(error|warning) title=([^:,\r\n]*)::([^\r\n]*)")
_UNESCAPED = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
"""As `src/Runner.Common/ActionCommand.cs` of actions/runner has them, the percent sign last."""


def read(line: str) -> tuple[str, str, str]:
    """The command, its title and its message; a line that isn't one is an error."""
    found = _COMMAND.fullmatch(line)
    assert found is not None, line
    command, title, message = found.groups()
    for escape, char in _UNESCAPED:
        title = title.replace(escape, char)
        message = message if char in ":," else message.replace(escape, char)
    return command, title, message


def told(run: Run, *, strict: bool = False) -> list[tuple[str, str, str]]:
    return [read(line) for line in annotation_lines(report_of(run, strict=strict))]


def test_each_missed_requirement_is_an_error_and_each_warning_a_warning() -> None:
    analysis = analyse(everything())
    found = told(everything())
    errors = [title for command, title, _ in found if command == "error"]
    assert errors == ["Missed: reopened==0"]
    warnings = [title for command, title, _ in found if command == "warning"]
    assert warnings == [f"kab: {it.code}" for it in analysis.findings if it.severity == "warning"]
    assert warnings


def test_what_is_undecided_is_an_error_where_that_is_strict() -> None:
    errors = [title for command, title, _ in told(everything(), strict=True) if command == "error"]
    assert errors == ["Missed: reopened==0", "Undecided: pooled.p95<=50ms"]


def test_an_error_says_what_was_found_and_why_and_what_to_do() -> None:
    script = Script("pooled", requests=9)
    ending = Ending("fin", 0.01, 0.0)
    for _ in range(9):
        script.send("pooled", 0.01, on=script.open("pooled", ended_s=99.0, ending=ending))
    plan = replace(script.plan, decision_rule=DecisionRule(requirements=("reopened==0",)))
    run = script.run()._replace(plan=plan)
    (checked,) = analyse(run).requirements
    (because,) = checked.because
    assert because.advice
    message = told(run)[0][2]
    for part in (checked.text, because.text, because.advice):
        assert part in message


def test_a_run_in_which_nothing_was_measured_is_an_error() -> None:
    command, title, message = told(nothing())[0]
    assert (command, title) == ("error", "Nothing was measured")
    assert "Nothing could be measured of" in message


def test_a_run_with_nothing_to_say_says_nothing() -> None:
    assert [it for it in told(paired_run([0.01] * 99, [0.02] * 99)) if it[0] == "error"] == []


@pytest.mark.parametrize(
    "text",
    [
        ORDERS,
        "100 %, 5%25",
        "a\r\n::error::b",
        "title=x,file=/etc/passwd::y",
        "%0A::stop-commands::z",
    ],
)
def test_a_text_is_a_text_and_no_property_or_further_command(text: str) -> None:
    line = annotation("warning", text, text)
    assert read(line) == ("warning", printable(text), printable(text))
    assert orders_in(line.partition("::")[2]) == []
