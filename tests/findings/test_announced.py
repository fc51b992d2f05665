"""What answers announce, against what connections did, on runs written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Answer, Ending

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding
    from keepalive_bench.results.run import Run


def found(run: Run) -> dict[str, Finding]:
    return {finding.code: finding for finding in analyse(run).findings}


def closed_after(seconds: float, announced: str | None) -> dict[str, Finding]:
    """Findings of a run whose connections are closed when idle for so long."""
    answer = Answer("HTTP/1.1", keep_alive=announced)
    script = Script("pooled", requests=6)
    for number in range(6):
        began = number * (seconds + 1)
        row = script.open("pooled", opened_s=began)
        script.send("pooled", 0.01, on=row, began_s=began, answer=answer)
        ended = began + seconds + 0.01
        script.connections.ended(row, Ending("fin", seconds + 0.9, seconds), ended)
    return found(script.run())


def used_again_after(seconds: float, announced: str) -> dict[str, Finding]:
    answer = Answer("HTTP/1.1", keep_alive=announced)
    script = Script("pooled", requests=6)
    row = script.open("pooled")
    for number in range(6):
        began = number * (seconds + 0.01)
        script.send("pooled", 0.01, on=row, began_s=began, answer=answer)
    return found(script.run())


def test_connections_closed_long_before_what_is_announced_are_found() -> None:
    findings = closed_after(5, "timeout=60, max=100")
    finding = findings["keep-alive-timeout-differs"]
    assert "idle-timeout" in findings
    assert finding.severity == "warning"
    assert finding.evidence == {"arm": "pooled", "announced_s": 60, "seen_s": pytest.approx(5)}
    assert "timeout=60, but closed 5 connections of pooled" in finding.text


@pytest.mark.parametrize("announced", ["timeout=6", "max=100"])
def test_connections_closed_as_announced_are_not(announced: str | None) -> None:
    assert "keep-alive-timeout-differs" not in closed_after(5.2, announced)


def test_connections_good_for_much_longer_are_found() -> None:
    finding = used_again_after(20, "timeout=5")["keep-alive-timeout-differs"]
    assert finding.severity == "info"
    assert finding.evidence == {"arm": "pooled", "announced_s": 5, "seen_s": pytest.approx(20)}


def test_connections_in_use_as_announced_are_not() -> None:
    assert "keep-alive-timeout-differs" not in used_again_after(5.4, "timeout=5")


def limited(announced: str | None, served: int = 2) -> dict[str, Finding]:
    """Findings of a run whose connections are closed after so many responses."""
    answer = Answer("HTTP/1.1", keep_alive=announced)
    script = Script("pooled", requests=3 * served)
    for _ in range(3):
        row = script.open("pooled")
        for _ in range(served):
            script.send("pooled", 0.01, on=row, answer=answer)
        ended = script.exchanges.began_s[-1] + 0.02
        script.connections.ended(row, Ending("fin", 0.02, 0.001), ended)
    return found(script.run())


def test_a_limit_below_the_announced_maximum_is_found() -> None:
    findings = limited("timeout=5, max=98")
    assert "request-limit" in findings
    finding = findings["keep-alive-max-differs"]
    assert finding.evidence == {"arm": "pooled", "announced": 98, "seen": 2}


@pytest.mark.parametrize("announced", ["max=2", "timeout=5"])
def test_a_limit_as_announced_or_not_announced_at_all_is_not(announced: str | None) -> None:
    assert "keep-alive-max-differs" not in limited(announced)


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("keep-alive, close;q=1", "close;q=1, which isn't `close` or even a valid token."),
        ("keep-alive, disclosed", "disclosed, which isn't `close`."),
        ("keep-alive, close;q=1, close", None),
        ("keep-alive", None),
    ],
)
def test_an_option_that_only_looks_like_close_is_told_where_nobody_acted_on_it(
    connection: str, said: str | None
) -> None:
    script = Script("pooled", requests=3)
    row = script.open("pooled")
    for _ in range(3):
        script.send("pooled", 0.01, on=row, answer=Answer("HTTP/1.1", connection=connection))
    finding = found(script.run()).get("close-unclear")
    assert (finding is None) == (said is None)
    assert finding is None or f"the connection option {said}" in finding.text
