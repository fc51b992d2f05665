"""What answers of gateways, limits and overloaded servers are taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Answer

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding

ARMS = ("pooled", "unpooled")
LATER = Answer("HTTP/1.1", retry_after=True)


def found(*statuses: int, answer: Answer | None = None) -> dict[str, list[Finding]]:
    """Findings of a run whose arms both got answers of such statuses."""
    script = Script("pooled", "unpooled", requests=len(statuses))
    row = script.open("pooled")
    for status in statuses:
        said = answer if answer and status >= 503 else Answer("HTTP/1.1")
        script.send("pooled", 0.01, on=row, status=status, answer=said)
        script.send("unpooled", 0.01, on=script.open("unpooled"), status=status, answer=said)
    by_code: dict[str, list[Finding]] = {}
    for finding in analyse(script.run()).findings:
        by_code.setdefault(finding.code, []).append(finding)
    return by_code


def test_a_gateways_errors_among_good_answers_are_told_of_either_arm() -> None:
    findings = found(*[200] * 18, 502, 502)["gateway-errors"]
    said = {"count": 2, "answered": 20, "statuses": "2 × 502"}
    assert [it.evidence for it in findings] == [{"arm": arm, **said} for arm in ARMS]
    assert {it.severity for it in findings} == {"warning"}
    assert findings[0].text.endswith("refused the connection, or broke it off.")
    assert findings[0].advice.startswith("Is a server behind the gateway down, or restarting?")
    assert "Nothing names the server (--server NAME does). nginx: keepalive_timeout and" in (
        findings[0].advice
    )
    gateway = Answer("HTTP/1.1", server="awselb/2.0")
    (named, _) = found(*[200] * 3, 503, answer=gateway)["gateway-errors"]
    assert "awselb/2.0 gave these answers" in named.advice


def test_a_gateway_that_waits_too_shortly_is_named_with_its_setting() -> None:
    (late, _) = found(200, 504, answer=Answer("HTTP/1.1", server="nginx/1.22.1"))["gateway-errors"]
    assert late.advice == (
        "How long the gateway waits is its own setting. nginx/1.22.1 gave these answers: its "
        "proxy_read_timeout (60 s by default)."
    )


def test_each_status_says_what_it_may_be() -> None:
    text = found(*[200] * 17, 502, 503, 504)["gateway-errors"][0].text
    assert "1 × 502, 1 × 503, 1 × 504: with 502, " in text
    assert "; with 503, that no server behind it is available, or the server itself" in text
    assert text.endswith("; with 504, that the server behind it didn't answer in time.")
    late = found(200, 504)["gateway-errors"][0]
    assert late.text.endswith(
        ": with 504, a gateway says that the server behind it didn't answer in time."
    )
    unavailable = found(200, 503)["gateway-errors"][0]
    assert "with 503, a gateway says that no server behind it is available" in unavailable.text
    assert late.advice == late.advice.strip()
    assert "Compare" not in late.advice


@pytest.mark.parametrize("statuses", [(502,), (503,), (504,), (502, 503, 504)], ids=str)
def test_gateways_errors_alone_are_no_rate_limit(statuses: tuple[int, ...]) -> None:
    findings = found(*statuses)
    assert not {"server-overloaded", "gateway-errors"} & findings.keys()
    (finding,) = findings["no-backend"]
    assert finding.evidence["answered"] == 2 * len(statuses)
    assert "no rate limit" in finding.text


@pytest.mark.parametrize(
    ("statuses", "answer"), [((429, 429), None), ((200, 503), LATER), ((200, 429, 503), LATER)]
)
def test_who_says_that_there_were_too_many_limits_the_rate_or_is_overloaded(
    statuses: tuple[int, ...], answer: Answer | None
) -> None:
    findings = found(*statuses, answer=answer)
    assert "gateway-errors" not in findings
    count = sum(status != 200 for status in statuses)
    assert [it.evidence["count"] for it in findings["server-overloaded"]] == [count, count]


def test_other_errors_are_none_of_a_gateway() -> None:
    assert not {"server-overloaded", "gateway-errors", "no-backend"} & found(200, 500, 404).keys()
