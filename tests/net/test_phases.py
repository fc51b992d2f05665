"""Where the time of an exchange goes, against a clock and delays that are known."""

from __future__ import annotations

from math import fsum
from typing import Any

import pytest
from server.wire import serving, settings
from support.misbehaving import Peer, forever, misbehaving
from support.plans import exchange, run

from keepalive_bench import Arm, Exchange
from keepalive_bench.net.tracer import ExchangeTrace, InconsistentTraceError
from keepalive_bench.results.exchange import PHASES, Phases
from keepalive_bench.server import CERTIFICATE, ServerProcess

both_kinds = pytest.mark.parametrize("kind", ["pooled", "unpooled"])
# Phases are kept as single floats.
ROUNDING_S = 1e-6
DELAY_S = 0.05


def happened(measured: Exchange) -> list[str]:
    return [name for name in PHASES if getattr(measured.outcome.phases, name) is not None]


def test_an_address_is_not_looked_up_and_http_has_no_tls() -> None:
    with serving() as server:
        assert happened(exchange(server.url)) == ["connect", "send", "wait", "receive"]


@both_kinds
def test_a_name_is_looked_up_and_https_has_tls(kind: str) -> None:
    with serving(tls=True) as server:
        url = f"https://localhost:{server.port}/"
        measured = exchange(url, kind, ca_file=CERTIFICATE)
    assert happened(measured) == ["dns", "connect", "tls", "send", "wait", "receive"]


def test_a_reused_connection_is_neither_opened_nor_looked_up() -> None:
    with serving(tls=True) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        measured = run(url, arms=(Arm("pooled"),), requests=5, warmup=0, ca_file=CERTIFICATE)
    assert "connect" in happened(measured.exchanges[0])
    for row in range(1, 5):
        assert happened(measured.exchanges[row]) == ["send", "wait", "receive"]


def test_an_unpooled_exchange_always_opens_a_connection() -> None:
    with serving(tls=True) as server:
        measured = run(
            server.url, arms=(Arm("unpooled"),), requests=5, warmup=0, ca_file=CERTIFICATE
        )
    assert all({"connect", "tls"} <= {*happened(it)} for it in measured.exchanges)
    assert [it.outcome.connection for it in measured.exchanges] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "tls"), [({}, False), ({"concurrency": 4, "maxsize": 1, "block": True}, True)]
)
def test_the_phases_and_a_small_remainder_add_up_to_the_latency(
    options: dict[str, Any], *, tls: bool
) -> None:
    with ServerProcess(settings(tls=tls, body_size=100_000)) as server:
        measured = run(server.url, requests=20, ca_file=CERTIFICATE, **options)
    remainders = []
    for it in measured.exchanges:
        phases = [value for value in it.outcome.phases if value is not None]
        assert all(value >= 0 for value in phases)
        remainders.append(it.outcome.latency_s - fsum(phases))
    assert min(remainders) >= -ROUNDING_S
    # The client's own code: half of it within a millisecond on any machine that is not overrun.
    assert sorted(remainders)[len(remainders) // 2] < 0.001 * options.get("concurrency", 1) * 4


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ({"sent": 70, "first_byte": 60}, "wait=-10"),
        ({"sent": 60, "first_byte": 70, "send": 80}, "send=80"),
    ],
    ids=["a negative phase", "more than there was"],
)
def test_phases_that_can_t_be_are_none(noted: dict[str, int], said: str) -> None:
    trace = ExchangeTrace()
    trace.begin(0, 1000)
    for name, nanoseconds in noted.items():
        setattr(trace, name, nanoseconds)
    with pytest.raises(InconsistentTraceError, match=said):
        trace.phases(100)


def test_an_exchange_whose_phases_can_t_be_is_reported_and_has_no_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phases = ExchangeTrace.phases

    def begun_late(trace: ExchangeTrace, ended: int) -> Phases:
        trace.began = ended
        return phases(trace, ended)

    monkeypatch.setattr(ExchangeTrace, "phases", begun_late)
    with serving() as server:
        outcome = exchange(server.url).outcome
    assert outcome.failure is not None
    assert outcome.failure.kind == "other"
    assert outcome.failure.message.startswith("InconsistentTraceError: phases of ")
    assert outcome.phases == Phases()


def test_a_servers_delay_is_waited_for() -> None:
    with ServerProcess(settings(delay_s=DELAY_S)) as server:
        outcome = exchange(server.url).outcome
    phases = outcome.phases
    assert phases.wait is not None
    assert phases.send is not None
    # The server may have the request before the client has noted that it was sent.
    answered_in = phases.send + phases.wait
    assert answered_in >= DELAY_S - ROUNDING_S
    assert outcome.latency_s - answered_in < DELAY_S


def test_the_time_between_head_and_body_is_received_not_waited_for() -> None:
    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        peer.pause(DELAY_S)
        peer.socket.sendall(b"ok")

    with misbehaving(script) as server:
        phases = exchange(server.url).outcome.phases
    assert phases.receive is not None
    assert phases.wait is not None
    assert phases.receive >= DELAY_S / 2  # the client sees the head a little after it is sent
    assert phases.wait < phases.receive


def test_a_slow_handshake_is_tls_and_not_connect() -> None:
    def script(peer: Peer) -> None:
        peer.pause(DELAY_S)

    with misbehaving(script) as server:
        outcome = exchange(server.url.replace("http:", "https:")).outcome
    assert outcome.failure is not None
    assert outcome.phases.connect is not None
    assert outcome.latency_s >= outcome.phases.connect + DELAY_S / 2


def test_waiting_for_a_free_connection_is_a_phase_of_its_own() -> None:
    options: dict[str, Any] = {"concurrency": 2, "maxsize": 1, "block": True, "requests": 10}
    with ServerProcess(settings(delay_s=DELAY_S)) as server:
        measured = run(server.url, arms=(Arm("pooled"),), warmup=0, **options)
    waited = [it.outcome.phases.pool_wait for it in measured.exchanges]
    times = [value for value in waited if value is not None]
    # Two threads and one connection: whoever comes second waits for most of an answer.
    assert max(times) >= DELAY_S / 2
    assert measured.run_info.wall_s >= 10 * DELAY_S


def test_a_pool_with_room_makes_nobody_wait() -> None:
    with serving() as server:
        measured = run(server.url, requests=40, concurrency=4, block=True)
    assert {it.outcome.phases.pool_wait for it in measured.exchanges} == {None}


def test_a_failed_exchange_keeps_the_phases_that_it_had() -> None:
    with misbehaving(lambda peer: peer.answer(b"")) as server:
        measured = exchange(server.url)
    assert happened(measured) == ["connect", "send"]


def test_exchanges_begin_after_the_run_and_follow_each_other() -> None:
    with misbehaving(forever()) as server:
        measured = run(server.url, arms=(Arm("pooled"),), requests=5, warmup=0)
    now_s = 0.0
    for it in measured.exchanges:
        assert it.outcome.began_s >= now_s
        now_s = it.outcome.began_s + it.outcome.latency_s
    assert measured.run_info.wall_s >= now_s


def test_connections_say_when_and_how_they_were_opened() -> None:
    with serving(tls=True, tls_min="1.3") as server:
        measured = run(server.url, requests=3, warmup=0, ca_file=CERTIFICATE)
    assert {it.peer for it in measured.connections} == {server.url.removeprefix("https://")}
    assert {it.tls_version for it in measured.connections} == {"TLSv1.3"}
    assert all(str(it.cipher).startswith("TLS_") for it in measured.connections)
    for it in measured.exchanges:
        outcome = it.outcome
        assert outcome.connection is not None
        connection = measured.connections[outcome.connection]
        assert connection.arm == it.arm
        if outcome.phases.connect is not None:
            setups = measured.setups()
            assert setups["connect"][outcome.connection] == outcome.phases.connect
            assert setups["tls"][outcome.connection] == outcome.phases.tls
            assert outcome.began_s < connection.opened_s < outcome.began_s + outcome.latency_s


def test_no_phase_has_happened_before_anything_has() -> None:
    assert set(Phases()) == {None}
