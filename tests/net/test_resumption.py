"""The arm that resumes TLS sessions; whether one was resumed is the server's own word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.misbehaving import misbehaving
from support.nginx import nginx
from support.plans import run
from support.proxies import proxies
from support.tls_server import resuming

from keepalive_bench import Arm, Run, Target, UsageError, analyse
from keepalive_bench.plan.arms import KINDS
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding

RESUMED = (Arm("resumed"),)
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
versions = pytest.mark.parametrize("version", ["1.2", "1.3"])


def measured(url: str, **options: Any) -> Run:  # noqa: ANN401  # of any part of a plan
    known: dict[str, Any] = {"arms": RESUMED, "requests": 8, "ca_file": CERTIFICATE, "warmup": 0}
    return run(url, **{**known, **options})


def said(found: Run) -> list[bool]:
    """What kab says of each connection, in the order in which they were opened."""
    return [connection.resumed for connection in found.connections]


def not_resumed(found: Run) -> list[Finding]:
    return [finding for finding in analyse(found).findings if finding.code == "not-resumed"]


@pytest.mark.parametrize(("version", "tickets"), [("1.2", True), ("1.2", False), ("1.3", True)])
def test_every_handshake_but_the_first_resumes(version: str, *, tickets: bool) -> None:
    with resuming(version, tickets=tickets) as server:
        found = measured(server.url)
    assert said(found) == server.resumed == [False] + [True] * 7
    (arm,) = analyse(found).arms
    assert (arm.connections, arm.resumed, arm.failed, arm.reopened) == (8, 7, 0, 7)
    assert arm.reason_counts == {"by-design": 7, "first-use": 1}
    assert not not_resumed(found)


def test_the_warm_up_leaves_no_session_behind() -> None:
    with resuming("1.3") as server:
        found = measured(server.url, requests=2, warmup=2)
    assert server.resumed == [False, True, False, True]
    assert said(found) == [False, True]


def test_threads_take_up_each_others_sessions() -> None:
    with resuming("1.3") as server:
        found = measured(server.url, requests=40, concurrency=4)
    assert sum(said(found)) == sum(server.resumed) >= 36
    assert len(server.resumed) == 40
    assert not not_resumed(found)


@versions
def test_two_arms_share_no_session_and_other_arms_resume_none(version: str) -> None:
    arms = (*map(Arm, KINDS), Arm("resumed", "again"))
    with resuming(version) as server:
        found = measured(server.url, arms=arms, requests=4)
    assert {arm.label: arm.resumed for arm in analyse(found).arms} == {
        "pooled": 0,
        "unpooled": 0,
        "resumed": 3,
        "naive": 0,
        "again": 3,
    }
    assert sum(server.resumed) == 6


@versions
def test_a_server_that_ends_each_connection_itself_is_resumed_too(version: str) -> None:
    with resuming(version, answer=CLOSING) as server:
        found = measured(server.url, requests=4)
    assert said(found) == server.resumed == [False, True, True, True]


@versions
def test_a_server_that_forgets_its_sessions_is_found_out(version: str) -> None:
    with resuming(version, forgets=True) as server:
        found = measured(server.url)
    assert said(found) == server.resumed == [False] * 8
    (finding,) = not_resumed(found)
    assert finding.evidence == {
        "arm": "resumed",
        "handshakes": 7,
        "resumed": 0,
        "tls_version": f"TLSv{version}",
    }
    assert finding.severity == "warning"


def test_one_request_shows_nothing() -> None:
    with resuming("1.3", forgets=True) as server:
        assert not not_resumed(measured(server.url, requests=1))


def test_a_handshake_with_an_untrusted_server_leaves_no_session_to_resume() -> None:
    with resuming("1.3") as server:
        found = measured(server.url, ca_file=None, requests=3)
    assert {it.outcome.failure.kind for it in found.exchanges if it.outcome.failure} == {
        "tls-untrusted"
    }
    assert said(found) == [False] * 3
    assert not any(server.resumed)


def test_without_tls_the_arm_is_refused_before_anything_is_sent() -> None:
    with misbehaving(lambda peer: peer.answer()) as server:
        with pytest.raises(UsageError, match="kind resumed takes up TLS sessions, and an http://"):
            measured(server.url)
        assert server.accepts == 0


def test_the_word_of_the_arm_is_in_the_results() -> None:
    with resuming("1.3") as server:
        found = measured(server.url, requests=3)
    handshakes = found.connections.handshakes.values
    assert [(version, resumed) for version, _, resumed in handshakes] == [
        ("TLSv1.3", False),
        ("TLSv1.3", True),
    ]


@pytest.mark.slow
@versions
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_sessions_are_resumed_through_a_tunnel(version: str, scheme: str) -> None:
    with proxies() as through, resuming(version) as server:
        proxy = Target(getattr(through, scheme))
        found = measured(server.url, proxy=proxy, requests=4)
    assert said(found) == server.resumed == [False, True, True, True]


NGINX = {
    "tickets": ("ssl_session_tickets on; ssl_session_cache off;", True),
    "a cache": ("ssl_session_tickets off; ssl_session_cache shared:kab:1m;", True),
    "neither": ("ssl_session_tickets off; ssl_session_cache off;", False),
}


@pytest.mark.slow
@versions
@pytest.mark.parametrize(("directives", "resumes"), NGINX.values(), ids=NGINX)
def test_nginx_says_the_same(version: str, directives: str, *, resumes: bool) -> None:
    # With TLS 1.3 and a cache, a ticket is a number in it, and good for one handshake only.
    says = "if ($ssl_session_reused = r) { return 201; }"
    with nginx(f"ssl_protocols TLSv{version}; {directives} {says}") as server:
        found = measured(server.https, requests=6)
    statuses = {it.outcome.connection: it.outcome.status for it in found.exchanges}
    by_nginx = [statuses[row] == 201 for row in range(6)]
    assert said(found) == by_nginx == [False] + [resumes] * 5
    assert bool(not_resumed(found)) is not resumes
