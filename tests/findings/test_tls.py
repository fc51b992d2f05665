"""An arm that was to resume TLS sessions, in runs written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.runs import Script

from keepalive_bench import Plan, Target, analyse
from keepalive_bench.report import run_tables
from keepalive_bench.report.verbose import connection_line

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

HTTPS = Plan(Target("https://127.0.0.1:8000/"))


def scripted(full: int, resumed: int, **experiment: int) -> Run:
    """So many connections of an arm of kind resumed, those that resumed last."""
    requests = max(1, full + resumed)
    script = Script("pooled", "resumed", plan=HTTPS, requests=requests, **experiment)
    for number in range(full + resumed):
        details: dict[str, Any] = {
            "tls_version": "TLSv1.3",
            "cipher": "X",
            "resumed": number >= full,
        }
        script.send("resumed", 0.01, on=script.open("resumed", **details))
    return script.run()


def arm(run: Run) -> ArmSummary:
    return analyse(run).arms[1]


def findings(run: Run) -> list[Finding]:
    return [finding for finding in analyse(run).findings if finding.code == "not-resumed"]


@pytest.mark.parametrize(("full", "resumed"), [(3, 18), (1, 0), (0, 0)])
def test_an_arm_that_resumes_nearly_all_or_had_no_chance_is_as_it_should_be(
    full: int, resumed: int
) -> None:
    run = scripted(full, resumed)
    assert arm(run).resumed == resumed
    assert not findings(run)


@pytest.mark.parametrize(
    ("full", "resumed", "said"),
    [(21, 0, "resumed none of 20 TLS sessions"), (11, 10, "resumed only 10 of 20 TLS sessions")],
)
def test_an_arm_that_resumes_none_or_some_says_so(full: int, resumed: int, said: str) -> None:
    (finding,) = findings(scripted(full, resumed))
    assert said in finding.text
    assert (finding.evidence["handshakes"], finding.evidence["resumed"]) == (20, resumed)
    assert "session tickets" in finding.advice


def test_the_first_handshake_of_each_thread_is_no_chance() -> None:
    assert not findings(scripted(4, 36, concurrency=4))
    assert not findings(scripted(4, 0, concurrency=4))


def test_the_table_counts_resumed_sessions_only_where_an_arm_resumes() -> None:
    rows = {row.name: row.cells for row in run_tables.comparison_rows(analyse(scripted(1, 4)))}
    assert rows["resumed TLS sessions"] == ("0", "4")
    script = Script("pooled", "unpooled", requests=1)
    assert "resumed TLS sessions" not in {
        row.name for row in run_tables.comparison_rows(analyse(script.run()))
    }


def test_the_line_of_a_connection_says_whether_its_session_was_resumed() -> None:
    run = scripted(1, 1)
    first, second = (connection_line(run.connections, row, arm(run).reasons[row]) for row in (0, 1))
    assert "  TLSv1.3  1 response" in first
    assert "  TLSv1.3, session resumed  1 response" in second
