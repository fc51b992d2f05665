"""Which setting is advised, for whom: on runs written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import Script

from keepalive_bench import Plan, Target, analyse
from keepalive_bench.findings.cures import cure
from keepalive_bench.plan.network import Network
from keepalive_bench.plan.plan import Known
from keepalive_bench.plan.request import Request
from keepalive_bench.results.exchange import Answer, Ending

if TYPE_CHECKING:
    from keepalive_bench.connections.products import Concern

PLAIN = Plan(Target("http://127.0.0.1:8000/"))
PROXIED = Plan(Target("http://127.0.0.1:8000/"), network=Network(proxy=Target("http://p:3128/")))


def known(word: str) -> Plan:
    return Plan(Target("http://127.0.0.1:8000/"), known=Known(server=word))


def answer(
    server: str | None = None, via: str | None = None, connection: str | None = "close"
) -> Answer:
    return Answer("HTTP/1.1", connection=connection, server=server, via=via)


def advice(
    *last: Answer, requests: int = 2, plan: Plan = PLAIN, first: Answer | None = None
) -> str:
    """What is advised where connections end with these answers, after so many requests each."""
    script = Script("pooled", plan=plan, requests=requests * len(last) + 1)
    for ends in (*last, answer(connection=None)):
        row = script.open("pooled")
        for number in range(requests if ends.connection else 1):
            is_last = number == requests - 1
            said = ends if is_last else first or ends._replace(connection=None)
            script.send("pooled", 0.01, on=row, answer=said)
        if ends.connection:
            script.connections.ended(row, Ending("announced"), 0.02)
    (finding,) = (it for it in analyse(script.run()).findings if it.code == "server-close")
    return finding.advice


def idle_advice(server: str | None, plan: Plan = PLAIN, via: str | None = None) -> str:
    """What is advised where connections are closed after a second without a request."""
    script = Script("pooled", plan=plan, requests=6)
    for number in range(6):
        row = script.open("pooled", opened_s=number * 2.0)
        said = answer(server, via, connection=None)
        script.send("pooled", 0.01, on=row, began_s=number * 2.0, answer=said)
        script.connections.ended(row, Ending("fin", 1.9, 1.0), number * 2.0 + 1.01)
    (finding,) = (it for it in analyse(script.run()).findings if it.code == "idle-timeout")
    return finding.advice


def test_who_answered_is_told_with_its_setting_and_default_if_nothing_stands_in_front() -> None:
    assert idle_advice("gunicorn/21.2").endswith(
        " gunicorn/21.2 answered: see its --keep-alive (default: 2 s); "
        "if a proxy stands in front of it, look there first."
    )


def test_a_limit_of_requests_is_another_setting_than_keep_alive_that_is_off() -> None:
    closing = (answer("Apache/2.4.71 (Debian)"),) * 2
    assert "MaxKeepAliveRequests (default: 100)" in advice(*closing)
    once = advice(*closing, requests=1)
    assert "its KeepAlive (default: On)" in once
    assert "MaxKeepAliveRequests" not in once


def test_the_nearest_hop_is_advised_on_and_not_who_answered() -> None:
    said = idle_advice("gunicorn", via="1.1 varnish (Varnish/7.1)")
    assert "Via names Varnish last: see its timeout_idle (default: 5 s" in said
    assert "gunicorn" not in said


def test_a_service_is_said_to_have_no_setting_that_it_has_not() -> None:
    said = idle_advice("gunicorn", via="1.1 varnish, 1.1 abc.cloudfront.net (CloudFront)")
    assert said.endswith(
        " The nearest hop is CloudFront, which has no setting for connections of viewers."
    )


def test_without_a_name_the_settings_of_the_commonest_are_told_each_by_name() -> None:
    said = advice(*(answer(),) * 2)
    assert (
        "Nothing names the server (--server NAME does). Common ones: nginx's keepalive_requests"
        in said
    )
    assert "; Apache's MaxKeepAliveRequests (default: 100); Node's " in said


def test_a_product_that_has_no_such_limit_sends_one_to_what_stands_in_front() -> None:
    said = advice(*(answer("uvicorn"),) * 2)
    assert "uvicorn answered, which limits the requests of a process" in said
    assert "look at any proxy in front of it. Common ones: nginx's keepalive_requests" in said


def test_whom_kab_does_not_know_is_told_as_it_calls_itself_with_the_commonest() -> None:
    said = idle_advice("acme/1.0")
    assert (
        "acme/1.0 answered, which kab doesn't know: look for a similar setting. Common ones: "
        "nginx's keepalive_timeout" in said
    )


def test_nobody_is_told_of_a_product_that_is_neither_there_nor_offered() -> None:
    for server in ("gunicorn", "uvicorn", "Caddy", "Microsoft-IIS/10.0"):
        assert "nginx" not in idle_advice(server)


def test_what_a_product_does_is_told_where_no_setting_changes_it() -> None:
    concerns: tuple[Concern, ...] = ("errors",)
    said = cure(PLAIN, {answer("Apache/2.4.71"): 1}, concerns)
    assert said.startswith(" Apache/2.4.71 answered, which closes after each 400, 408, 411, 413, ")
    unnamed = cure(PLAIN, {answer(): 1}, concerns)
    assert (
        "Nothing names the server (--server NAME does). Common ones: nginx closes after its own"
        in unnamed
    )
    assert "; Apache closes after each 400" in unnamed
    assert "; HAProxy closes after its own 400 and 408." in unnamed


def error_advice(status: int, server: str | None = None, *, body: bytes | None = None) -> str:
    """What is advised where connections end with the errors of one status, and with no others."""
    target, request = Target("http://127.0.0.1:8000/"), Request(method="POST", body=body)
    script = Script("pooled", plan=Plan(target, request), requests=6)
    for _ in range(3):
        row = script.open("pooled")
        for code, said in ((200, None), (status, "close")):
            script.send("pooled", 0.01, on=row, status=code, answer=answer(server, None, said))
        script.connections.ended(row, Ending("announced"), 0.02)
    findings = analyse(script.run()).findings
    (finding,) = (it for it in findings if it.code == "error-response")
    return finding.advice


def silent_advice(server: str | None = None, requests: int = 2) -> str:
    """What is advised where connections are closed in silence after so many requests each."""
    script = Script("pooled", plan=PLAIN, requests=6 * requests)
    for _ in range(6):
        row = script.open("pooled")
        for _ in range(requests):
            said = answer(server, connection=None)
            script.send("pooled", 0.01, on=row, answer=said)
        script.connections.ended(row, Ending("fin", 0.001, 0.001), 0.021)
    findings = analyse(script.run()).findings
    (finding,) = (it for it in findings if it.code == "request-limit")
    return finding.advice


@pytest.mark.parametrize(
    ("status", "server", "limit"),
    [
        (413, "nginx/1.29.7", "client_max_body_size (default: 1 MiB)"),
        (400, "nginx", "large_client_header_buffers (default: 4 of 8 KiB)"),
        (
            400,
            "Apache",
            "LimitRequestFieldSize (default: 8,190 B) or LimitRequestFields (default: ",
        ),
        (413, "Apache/2.4.41", "LimitRequestBody (default: no limit)"),
        (503, "uvicorn", "--limit-concurrency (default: no limit)"),
    ],
)
def test_the_limit_that_gives_an_error_is_named(status: int, server: str, limit: str) -> None:
    assert f" Such an error may come from its {limit}" in error_advice(status, server)


def test_without_a_name_those_are_offered_whose_error_it_is() -> None:
    said = error_advice(431)
    assert (
        "(--server NAME does). Common ones: Node's --max-http-header-size (default: 16 KiB)" in said
    )
    assert "; Envoy's max_request_headers_kb (default: 60 KiB); Go's Server.MaxHeade" in said
    assert "nginx" not in said
    crashed = error_advice(500)
    assert ": nginx closes after its own 400, 413" in crashed
    assert "HAProxy" not in crashed


def test_a_server_that_closes_after_other_errors_only_is_said_to() -> None:
    assert error_advice(429, "uvicorn").endswith(
        " uvicorn answered, which closes after no such error of its own: its application may do "
        "that, or a proxy in front of it."
    )
    with_body = error_advice(418, "gunicorn", body=b"name=value")
    assert "gunicorn answered, which closes where the application leaves much of a bod" in with_body
    assert "read or drain the body" in with_body


def test_what_would_have_been_announced_is_not_offered_for_a_close_that_was_not() -> None:
    assert silent_advice("nginx/1.22.1").endswith(
        " nginx/1.22.1 answered, which would announce such a close: look at any proxy in front of "
        "it, or for a crash."
    )
    assert silent_advice().endswith(
        " Nothing names the server (--server NAME does). nginx, Apache and Node would announce "
        "such a close: look for a crash, too."
    )
    assert "limits no connection" in silent_advice("Caddy")


def test_those_are_offered_that_close_after_each_request_in_silence() -> None:
    assert silent_advice(requests=1).endswith(
        " Nothing names the server (--server NAME does). Common ones: uWSGI's --http-keepalive; "
        "Java HttpServer's sun.net.httpserver.maxIdleConnections (default: 200)."
    )


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("nginx/1.22.1", "nginx/1.22.1 answered, which has no keepalive_min_timeout yet: without "),
        ("nginx/1.27.4", "nginx/1.27.4 answered: see its keepalive_min_timeout (without it, a "),
        ("nginx", "nginx answered: see its keepalive_min_timeout (from 1.27.4; without it, a "),
    ],
)
def test_a_version_is_told_what_it_has(server: str, said: str) -> None:
    assert said in cure(PLAIN, {answer(server): 1}, ("recycling",))


@pytest.mark.parametrize(
    ("server", "default"), [("nginx/1.18.0", "100)"), ("nginx/1.19.10", "1,000)")]
)
def test_a_version_is_told_its_own_default(server: str, default: str) -> None:
    said = cure(PLAIN, {answer(server): 1}, ("request_limit",))
    assert f" {server} answered: see its keepalive_requests (default: {default}" in said
    assert "before" not in said


@pytest.mark.parametrize(
    "concern", ["request_limit", "idle_timeout", "lifetime", "errors", "keep_alive", "upstream"]
)
def test_among_the_commonest_is_one_that_names_itself_nowhere(concern: Concern) -> None:
    said = cure(PLAIN, {answer(): 1}, (concern,))
    assert any(f" {name}" in said for name in ("HAProxy", "Node", "AWS ALB"))


def test_a_service_whose_documentation_is_silent_is_said_to_be_so() -> None:
    said = cure(PLAIN, {answer("awselb/2.0"): 1}, ("errors",))
    assert said == " The nearest hop is AWS ALB (awselb/2.0), which documents nothing about that."


def test_one_setting_that_decides_two_things_is_told_once() -> None:
    said = cure(PLAIN, {answer(via="1.1 alb"): 1}, ("idle_timeout", "upstream"))
    assert "idle_timeout.timeout_seconds or" not in said
    told = cure(known("alb"), {}, ("idle_timeout", "upstream"))
    assert told == " AWS ALB (--server): see its idle_timeout.timeout_seconds (default: 60 s)."


def test_what_serves_one_request_on_a_connection_is_said_to_have_no_setting() -> None:
    said = cure(PLAIN, {answer("WSGIServer/0.2 CPython/3.11.7"): 1}, ("http_1_1",))
    assert "(WSGIServer/0.2) answered, which is for development: it answers one request on" in said
    assert "protocol_version" not in said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("haproxy", " HAProxy (--server): see its timeout http-keep-alive ("),
        (
            "node",
            " Node (--server): see its server.keepAliveTimeout (default: 65,000 ms, 5,000 ms",
        ),
        ("nlb", " AWS NLB (--server): see its tcp.idle_timeout.seconds (default: 350 s; "),
        ("later-than-this-kab", " 'later-than-this-kab' (--server), which isn't one"),
    ],
)
def test_what_the_user_knows_goes_before_what_answers_say(word: str, said: str) -> None:
    found = idle_advice("gunicorn", known(word))
    assert said.replace(", which isn't one", " isn't one") in found
    assert "gunicorn" not in found


def test_several_that_answered_are_told_with_how_often_the_commonest_first() -> None:
    said = advice(*(answer("nginx/1.22.1"),) * 3, answer("Apache"))
    nginx, apache = said.index("nginx/1.22.1 answered (3 of 4"), said.index("Apache answered (1 of")
    assert nginx < apache


def test_versions_of_one_product_are_one() -> None:
    said = advice(*(answer("nginx/1.22.1"),) * 3, answer("nginx/1.29.0"))
    assert "nginx/1.22.1 answered: see its" in said


def test_those_count_whose_answers_ended_connections() -> None:
    """A balancer's own error page closes; those of the application, which are more, don't."""
    application = answer("gunicorn", connection=None)
    said = advice(*(answer("awselb/2.0"),) * 2, requests=5, first=application)
    assert "The nearest hop is AWS ALB (awselb/2.0): see its client_keep_alive.seconds" in said
    assert "gunicorn" not in said


def test_a_proxy_that_forwards_is_advised_on_whoever_answered() -> None:
    said = idle_advice("nginx/1.22.1", PROXIED, "1.1 p (squid/5.7)")
    assert said.endswith(
        " Via names Squid last: see its client_idle_pconn_timeout (default: 2 min)."
    )
    unnamed = idle_advice("nginx/1.22.1", PROXIED)
    assert (
        "Nothing names the proxy (--server NAME does). Common ones: Squid's client_idle_pcon"
        in (unnamed)
    )
    assert "nginx" not in unnamed


def test_a_tunnel_leaves_keep_alive_to_the_server() -> None:
    tunnelled = Plan(Target("https://h.test/"), network=PROXIED.network)
    assert "gunicorn answered: see its --keep-alive" in idle_advice("gunicorn", tunnelled)


@pytest.mark.parametrize("server", ["\x1b[31m::error::", "{arm}{0}", "%s", "x" * 300])
def test_hostile_names_are_shown_harmless(server: str) -> None:
    said = idle_advice(server)
    assert said.isprintable()
    assert "::" not in said
    assert len(said) < 500


def test_a_server_that_has_another_name_each_time_is_told_as_three_at_most() -> None:
    said = advice(*(answer(f"s{number}") for number in range(40)))
    assert said.count("answered") == 3
