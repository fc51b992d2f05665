"""What answers of gateways, limits and overloaded servers are taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.findings.reuse import OF_REASONS
from keepalive_bench.plan.network import Network
from keepalive_bench.plan.plan import Plan, Target
from keepalive_bench.results.exchange import Answer, Ending

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding

BY_REASON = {it.code for it in OF_REASONS.values()}
ARMS = ("pooled", "unpooled")
LATER = Answer("HTTP/1.1", retry_after=True)


def found(
    *statuses: int, answer: Answer | None = None, plan: Plan | None = None
) -> dict[str, list[Finding]]:
    """Findings of a run whose arms both got answers of such statuses."""
    script = Script("pooled", "unpooled", plan=plan, requests=len(statuses))
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
    assert findings[0].text.endswith("refused or broke the connection.")
    assert findings[0].advice.startswith("Is a server behind the gateway down, or restarting?")
    assert (
        "Nothing names the server (--server NAME does). Common ones: nginx's keepalive_timeout"
        in (findings[0].advice)
    )
    gateway = Answer("HTTP/1.1", server="awselb/2.0")
    (named, _) = found(*[200] * 3, 503, answer=gateway)["gateway-errors"]
    assert "AWS ALB (awselb/2.0) sent these responses" in named.advice


def test_a_gateway_that_waits_too_shortly_is_named_with_its_setting() -> None:
    (late, _) = found(200, 504, answer=Answer("HTTP/1.1", server="nginx/1.22.1"))["gateway-errors"]
    assert late.advice == (
        "Does the server behind the gateway hang, or need longer than that? The "
        "gateway's own setting decides how long it waits. nginx/1.22.1 sent these responses: see "
        "its proxy_read_timeout (default: 60 s)."
    )


def test_each_status_says_what_it_may_be() -> None:
    text = found(*[200] * 17, 502, 503, 504)["gateway-errors"][0].text
    assert "1 × 502, 1 × 503, 1 × 504: with 502, " in text
    assert (
        "; with 503, a server or gateway is overloaded, reached a limit, or is out of service"
        in text
    )
    assert text.endswith("the server behind a gateway didn't respond in time (after 10.0 ms).")
    late = found(200, 504)["gateway-errors"][0]
    assert " 504: the server behind a gateway didn't respond" in late.text
    assert late.advice == late.advice.strip()
    assert "idle connections" not in late.advice


@pytest.mark.parametrize(
    ("server", "said", "who"),
    [
        (
            "nginx/1.22.1",
            "503: nginx/1.22.1 says that a limit is reached (limit_req,",
            "server",
        ),
        ("uvicorn", "503: uvicorn says that --limit-concurrency is reached", "server"),
        ("gunicorn", "503: gunicorn, which is no gateway, or the application is over", "server"),
        (None, "503: a server or gateway is overloaded, reached a limit", "server"),
        ("Varnish", "503: Varnish reaches no server behind it", "proxy"),
    ],
)
def test_a_503_means_what_its_product_means_by_it(server: str | None, said: str, who: str) -> None:
    finding = found(200, 503, answer=Answer("HTTP/1.1", server=server))["gateway-errors"][0]
    assert said in finding.text
    assert finding.who == who
    assert finding.advice.startswith("If fewer --requests, a --rate or a lower --concurrency helps")
    assert ("the server must keep idle connections" in finding.advice) is (who == "proxy")


def test_502s_alone_are_no_rate_limit() -> None:
    findings = found(502)
    assert not {"server-overloaded", "gateway-errors"} & findings.keys()
    (finding,) = findings["no-backend"]
    assert finding.evidence["answered"] == 2
    assert "isn't a rate limit" in finding.text


@pytest.mark.parametrize("statuses", [(503,), (504,), (502, 503, 504)], ids=str)
def test_what_may_be_something_else_is_not_called_a_gateway_without_a_server(
    statuses: tuple[int, ...],
) -> None:
    findings = found(*statuses)
    assert not {"server-overloaded", "no-backend"} & findings.keys()
    (finding,) = findings["gateway-errors"]
    assert finding.text.startswith(f"All {2 * len(statuses)} responses were ")
    assert "rate limit" not in finding.text


def test_a_503_of_a_gateway_that_reaches_no_server_says_so() -> None:
    (finding,) = found(503, answer=Answer("HTTP/1.1", server="envoy"))["no-backend"]
    assert "reach any server behind it, or all of them are full (envoy sends" in finding.text
    assert "rate limit" not in finding.text


@pytest.mark.parametrize("status", [502, 503])
def test_what_a_proxy_does_not_reach_is_asked_for_by_its_name(status: int) -> None:
    plan = Plan(
        Target("http://service.example:81/"), network=Network(proxy=Target("http://10.0.0.1:3128"))
    )
    (finding,) = found(status, plan=plan)["no-backend"]
    assert "the proxy 10.0.0.1:3128 can't reach service.example:81" in finding.text
    assert "Does a server listen at service.example:81" in finding.advice


@pytest.mark.parametrize(
    ("statuses", "answer"), [((429, 429), None), ((200, 503), LATER), ((200, 429, 503), LATER)]
)
def test_who_says_that_there_were_too_many_limits_the_rate_or_is_overloaded(
    statuses: tuple[int, ...], answer: Answer | None
) -> None:
    findings = found(*statuses, answer=answer)
    assert "gateway-errors" not in findings
    (finding,) = findings["server-overloaded"]
    assert finding.evidence == {"count": 2 * sum(status != 200 for status in statuses)}
    assert " of pooled and unpooled (" in finding.text


def test_other_errors_are_none_of_a_gateway() -> None:
    assert not {"server-overloaded", "gateway-errors", "no-backend"} & found(200, 500, 404).keys()


@pytest.mark.parametrize("errors", [6, 5])
def test_an_error_that_all_answers_are_comes_before_what_follows_from_it(errors: int) -> None:
    script = Script("pooled", "unpooled", requests=6)
    refusing = Answer("HTTP/1.1", connection="close", complaint="https-expected")
    for number in range(6):
        script.send("unpooled", 0.01, on=script.open("unpooled"), status=400, answer=refusing)
        row = script.open("pooled")
        is_error = number < errors
        answer = refusing if is_error else Answer("HTTP/1.1")
        script.send("pooled", 0.01, on=row, status=400 if is_error else 200, answer=answer)
        if is_error:
            script.connections.ended(row, Ending("announced"), 0.1)
    codes = [it.code for it in analyse(script.run()).findings]
    assert (codes[0] == "https-expected") is (errors == 6)
    assert not BY_REASON.isdisjoint(codes)
