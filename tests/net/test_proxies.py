"""Through a real squid, with HAProxy before it: its count of accepts is the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from server.wire import settings
from support.misbehaving import Peer, misbehaving
from support.plans import exchange, failure, run
from support.proxies import PASSWORD, USER, Proxies, proxies

from keepalive_bench import Run, Target, analyse
from keepalive_bench.results.failure_kinds import advice_on
from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
schemes = pytest.mark.parametrize("scheme", ["http", "https"])
proxy_schemes = pytest.mark.parametrize("proxy_scheme", ["http", "https"])
kinds = pytest.mark.parametrize("kind", ["pooled", "unpooled", "naive"])


@pytest.fixture(scope="module")
def free() -> Iterator[Proxies]:
    with proxies() as running:
        yield running


@pytest.fixture(scope="module")
def guarded() -> Iterator[Proxies]:
    with proxies(password=True) as running:
        yield running


@pytest.fixture(scope="module")
def origins() -> Iterator[dict[str, str]]:
    with ServerProcess() as plain, ServerProcess(settings(tls=True)) as secure:
        yield {"http": plain.url, "https": secure.url}


def through(proxy: str, url: str, **options: Any) -> Run:  # noqa: ANN401
    return run(url, proxy=Target(proxy), ca_file=CERTIFICATE, **options)


def with_password(url: str, password: str = PASSWORD) -> str:
    return url.replace("://", f"://{USER}:{password}@")


@schemes
@proxy_schemes
@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_connections_counted_are_those_to_the_proxy(
    free: Proxies, origins: dict[str, str], scheme: str, proxy_scheme: str, concurrency: int
) -> None:
    proxy, before = getattr(free, proxy_scheme), free.accepts()
    measured = through(proxy, origins[scheme], requests=40, concurrency=concurrency, warmup=2)
    pooled, unpooled = analyse(measured).arms
    warmups = sum(it.connections for it in measured.warmup.values())
    assert free.accepts() - before == pooled.connections + unpooled.connections + warmups
    assert (pooled.failed, pooled.reopened, unpooled.failed) == (0, 0, 0)
    assert pooled.connections <= concurrency
    assert unpooled.connections == 40
    assert {it.peer for it in measured.connections} == {proxy.partition("://")[2]}


@schemes
@proxy_schemes
def test_each_step_on_the_way_has_its_own_time_and_tunnels_are_counted(
    free: Proxies, origins: dict[str, str], scheme: str, proxy_scheme: str
) -> None:
    measured = through(getattr(free, proxy_scheme), origins[scheme], requests=10)
    pooled, unpooled = analyse(measured).arms
    for arm, opened in ((pooled, 1), (unpooled, 10)):
        counts = {phase: time.count for phase, time in arm.phases.items() if time.count}
        assert counts["connect"] == opened
        assert counts.get("tunnel", 0) == (opened if scheme == "https" else 0)
        assert counts.get("tls", 0) == (opened if "https" in {scheme, proxy_scheme} else 0)
    for it in measured.exchanges:
        parts = sum(part for part in it.outcome.phases if part is not None)
        assert 0 < parts <= it.outcome.latency_s


@schemes
def test_the_origin_sees_what_it_would_see_without_a_proxy(
    free: Proxies, tmp_path: Path, scheme: str
) -> None:
    record = tmp_path / "requests"
    with ServerProcess(settings(tls=scheme == "https", record=record)) as server:
        measured = through(free.http, f"{server.url}/path", requests=1)
        assert [it.outcome.status for it in measured.exchanges] == [200, 200]
    lines = record.read_text().splitlines()
    assert len(lines) == 4
    assert all(
        "/path?kab=" in line and "http://" not in line.split("HTTP/1.1")[0] for line in lines
    )


@kinds
@pytest.mark.parametrize("proxy", ["none", "wrong"])
def test_a_tunnel_that_is_refused_without_the_password_is_a_failure_of_the_proxy(
    guarded: Proxies, origins: dict[str, str], kind: str, proxy: str
) -> None:
    url = guarded.http if proxy == "none" else with_password(guarded.http, "wr0ng")
    outcome = exchange(origins["https"], kind, proxy=Target(url), ca_file=CERTIFICATE).outcome
    assert outcome.failure is not None
    assert outcome.failure.kind == "proxy"
    assert "407" in outcome.failure.message
    assert "http://USER:PASSWORD@HOST:PORT" in advice_on(outcome.failure)
    happened = {name for name, took in outcome.phases._asdict().items() if took is not None}
    assert happened == {"connect", "tunnel"}


@kinds
def test_a_forwarded_request_without_the_password_is_answered_with_407(
    guarded: Proxies, origins: dict[str, str], kind: str
) -> None:
    outcome = exchange(origins["http"], kind, proxy=Target(guarded.http)).outcome
    assert (outcome.status, outcome.failure) == (407, None)


@schemes
@proxy_schemes
def test_the_password_in_the_proxys_url_lets_through(
    guarded: Proxies, origins: dict[str, str], scheme: str, proxy_scheme: str
) -> None:
    url = with_password(getattr(guarded, proxy_scheme))
    measured = through(url, origins[scheme], requests=3)
    assert {it.outcome.status for it in measured.exchanges} == {200}


@schemes
def test_a_proxys_certificate_is_checked_like_a_servers(
    free: Proxies, origins: dict[str, str], scheme: str
) -> None:
    assert failure(origins[scheme], proxy=Target(free.https)) == "tls-untrusted"
    assert failure(origins[scheme], proxy=Target(free.https), verify=False) is None


def test_a_server_that_the_proxy_cannot_reach_is_a_failure_of_the_proxy(free: Proxies) -> None:
    refused = exchange("https://127.0.0.1:1/", proxy=Target(free.http)).outcome.failure
    assert refused is not None
    assert refused.kind == "proxy"
    assert "can't reach the server" in advice_on(refused)
    forwarded = run("http://127.0.0.1:1/", requests=2, proxy=Target(free.http))
    assert {*forwarded.exchanges.status} == {503}
    (finding,) = (it for it in analyse(forwarded).findings if it.code == "no-backend")
    assert "can't reach 127.0.0.1:1" in finding.text


@schemes
def test_nagle_shows_behind_a_proxy_and_goes_with_nodelay(
    free: Proxies, origins: dict[str, str], scheme: str
) -> None:
    # A head and a body are two writes: the second one waits for the first one's acknowledgement.
    # Through a tunnel that happens to half of the fresh connections, too: 20 could be chance.
    posts: dict[str, Any] = {"method": "POST", "body": b"a=1", "requests": 60}
    (finding,) = nagle(through(free.http, origins[scheme], **posts))
    assert 0.03 <= finding.evidence["reused_s"] - finding.evidence["fastest_s"] <= 0.06
    assert not nagle(through(free.http, origins[scheme], tcp_nodelay=True, **posts))


def nagle(measured: Run) -> list[Any]:
    return [it for it in analyse(measured).findings if it.code == "nagle-behind-proxy"]


@kinds
def test_a_proxy_that_never_answers_uses_up_the_time_to_connect(kind: str) -> None:
    with misbehaving(Peer.stay) as proxy:
        outcome = exchange(
            "https://127.0.0.1:1/", kind, proxy=Target(proxy.url), connect_timeout_s=0.2
        ).outcome
        assert proxy.accepts == 1
    assert outcome.failure is not None
    assert outcome.failure == ("connect-timeout", "no answer of the proxy")
    assert 0.2 <= outcome.latency_s < 5
