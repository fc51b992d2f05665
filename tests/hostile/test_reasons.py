"""Reasons for connections, provoked: with the one before, what ended that, and evidence.

tests/connections/test_rules.py names all of them from records; tests/hostile/test_registries.py
provokes each with the commands that are documented for it.
"""

from __future__ import annotations

from functools import partial
from threading import Barrier, Semaphore
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import settings
from support.misbehaving import ANSWER, Peer, misbehaving
from support.patience import PATIENCE_S
from support.plans import plan
from support.stillness import until_heard, until_still

from keepalive_bench import Arm, Load, analyse, benchmark
from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.reasons import Reason
    from keepalive_bench.results.exchange import Exchange

POOLED = (Arm("pooled"),)
both_schemes = pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])


def analysed(
    server: dict[str, Any],
    *,
    idle: bool = False,
    tls: bool = False,
    **client: Any,  # noqa: ANN401
) -> Analysis:
    """A run of three requests, whose connections are those that the server accepted.

    After each, the server does what it does at once; or, of an `idle` connection, in time.
    """
    options: dict[str, Any] = {"arms": POOLED, "requests": 3, "warmup": 0, "timeout_s": 2.0}
    options |= {"keep_going": True, "ca_file": CERTIFICATE if tls else None, **client}
    with ServerProcess(settings(tls=tls, **server)) as process:

        def rest(_: object) -> None:
            if idle:
                until_heard(process.port)
            else:
                until_still(process.pid)

        run = benchmark(plan(process.url, **options), rest)
        assert process.stop().accepts == len(run.connections)
    return analyse(run)


def second(analysis: Analysis, label: str = "pooled") -> Reason:
    """The reason for the second connection of an arm, which took the place of the first."""
    arm = next(arm for arm in analysis.arms if arm.label == label)
    first, other, *_ = arm.reasons
    reason = arm.reasons[other]
    assert reason.previous == first
    return reason


def test_the_first_connection_of_a_slot_needs_no_other_reason() -> None:
    (reason,) = analysed({}).first.reasons.values()
    assert (reason.code, reason.previous, reason.exchange) == ("first-use", None, None)


def test_the_unpooled_arm_opens_them_by_design() -> None:
    reason = second(analysed({"connection_close": True}, arms=(Arm("unpooled"),)), "unpooled")
    assert (reason.code, reason.exchange) == ("by-design", 0)


def test_a_constant_number_of_requests_is_a_limit_once_it_was_seen_twice() -> None:
    reason = second(analysed({"silent_close_after": 2}, requests=5))
    assert (reason.code, reason.exchange) == ("request-limit", 1)
    assert (reason.evidence["requests"], reason.evidence["found"]) == (2, "fin")


@pytest.mark.parametrize(("pause_s", "code"), [(0.0, "unknown"), (0.05, "recycled")])
def test_changing_numbers_of_requests_are_no_limit(pause_s: float, code: str) -> None:
    """Closed right after a response, when others were idle for longer: that is no timeout, too."""
    served, closed = iter([1, 2, 3]), Semaphore(0)

    def script(peer: Peer) -> None:
        for _ in range(next(served)):
            peer.answer()
        peer.close()
        closed.release()

    def rest(exchange: Exchange) -> None:
        if exchange.index in {0, 2}:  # the last of a connection
            assert closed.acquire(timeout=PATIENCE_S)

    with misbehaving(script) as server:
        load = Load(think_s=(pause_s, pause_s))
        wanted = plan(server.url, arms=POOLED, requests=6, warmup=0, load=load)
        analysis = analyse(benchmark(wanted, rest))
        assert server.accepts == analysis.first.connections == 3
    assert analysis.first.reason_counts == {code: 2, "first-use": 1}


IDLE_S = 0.5
"""Of a server; two requests of kab's without a pause between them are not so far apart."""
CLOCKS_S = 0.02
"""As coarsely as Linux tells when something was received."""


@both_schemes
def test_a_close_while_idle_tells_after_how_long(*, tls: bool) -> None:
    analysis = analysed({"idle_timeout_s": IDLE_S}, idle=True, tls=tls)
    reason = second(analysis)
    assert (reason.code, reason.exchange) == ("idle-timeout", 0)
    assert reason.evidence["found"] == "fin"
    closed_after_s = float(str(reason.evidence["closed_after_s"]))
    # The server's clock starts when it has answered, so after the request and before its end here.
    longest_s = analysis.first.latency.max
    assert longest_s is not None
    assert IDLE_S - CLOCKS_S - longest_s <= closed_after_s < float(str(reason.evidence["idle_s"]))
    assert reason.evidence["idle_by_kab_s"] == 0
    assert not reason.is_caused_by_interleaving


@both_schemes
def test_resets_of_the_connections_that_were_idle_longest_are_a_timeouts(*, tls: bool) -> None:
    # Linux doesn't tell when a reset came, so one alone may have come with the last response.
    options: dict[str, Any] = {"arms": POOLED, "requests": 7, "warmup": 0}
    options["ca_file"] = CERTIFICATE if tls else None
    with ServerProcess(settings(tls=tls, fault=f"idle-reset={IDLE_S}")) as server:

        def rest(exchange: Exchange) -> None:
            if exchange.index in {1, 4}:
                until_heard(server.port)

        analysis = analyse(benchmark(plan(server.url, **options), rest))
        assert server.stop().accepts == analysis.first.connections == 3
    reason = second(analysis)
    assert (reason.code, reason.exchange) == ("idle-timeout", 1)
    assert reason.evidence["found"] == "rst"
    assert float(str(reason.evidence["idle_s"])) > CLOCKS_S
    assert "closed_after_s" not in reason.evidence


def test_resets_after_the_same_number_of_requests_may_be_a_limits_or_a_timeouts() -> None:
    analysis = analysed({"fault": f"idle-reset={IDLE_S}"}, idle=True)
    assert second(analysis).code == "undecided"
    assert {"request-limit", "idle-timeout"} <= {
        *str(second(analysis).evidence["fits"]).split(", ")
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("server", "seen", "tls"),
    [
        ({"fault": f"idle-408={IDLE_S}"}, "HTTP/1.1 408 Request Timeout", False),
        ({"fault": f"idle-408={IDLE_S}"}, "HTTP/1.1 408 Request Timeout", True),
        ({"fault": f"idle-push={IDLE_S}"}, "HTTP/1.1 408 Request Timeout", False),
        ({"fault": f"idle-garbage={IDLE_S}"}, "\x00\xffkab", False),
        ({"fault": f"idle-garbage={IDLE_S}"}, "\x00\xffkab", True),
        ({"fault": "answer-twice"}, "HTTP/1.1 200 OK", False),  # it is in http.client's buffer
        ({"fault": "length-too-small"}, "x", False),
    ],
    ids=str,
)
def test_bytes_that_nobody_asked_for_are_shown(
    server: dict[str, Any], seen: str, *, tls: bool
) -> None:
    reason = second(analysed(server, idle=True, tls=tls))
    assert (reason.code, reason.exchange) == ("unsolicited-data", 0)
    said = str(reason.evidence["seen"])
    assert said.startswith(seen) or set(said) <= set("0123456789abcdefghijklmnopqrstuvwxyz -.\n")


# Two rounds: at the end of each, the pool has no place for two of three connections.
BURST: dict[str, Any] = {"requests": 60, "concurrency": 3, "maxsize": 1, "order": "paired"}


def test_a_full_pool_throws_connections_away() -> None:
    all_sent = Barrier(BURST["concurrency"])

    def script(peer: Peer) -> None:
        while peer.read_request():
            all_sent.wait(PATIENCE_S)
            peer.socket.sendall(ANSWER)

    with misbehaving(script) as server:
        analysis = analyse(benchmark(plan(server.url, warmup=0, **BURST)))
        assert server.accepts == sum(arm.connections for arm in analysis.arms)
    counts = analysis.first.reason_counts
    assert counts["first-use"] == 1
    assert counts["pool-exhausted"] == 2
    assert counts["pool-full"] == analysis.first.connections - 3 > 0
    full = next(it for it in analysis.first.reasons.values() if it.code == "pool-full")
    assert (full.previous is None, full.exchange is None) == (False, False)


def test_a_blocking_pool_throws_none_away() -> None:
    analysis = analysed({"delay_s": 0.005}, block=True, **BURST)
    assert analysis.first.reason_counts == {"first-use": 1}


def test_an_unexpected_status_costs_no_connection() -> None:
    analysis = analysed({"status": 500}, expect_status=("200",))
    assert analysis.first.failure_kinds == {"unexpected-status": 3}
    assert analysis.first.connections == 1


def test_a_1xx_that_passes_for_the_answer_ends_the_connection() -> None:
    answer = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with misbehaving(partial(Peer.answer, data=answer + ANSWER)) as server:
        wanted = plan(server.url, arms=POOLED, requests=2, warmup=0)
        analysis = analyse(benchmark(wanted))
    assert second(analysis).code == "after-error"


def forget(peer: Peer, after_s: float) -> None:
    """Answer requests; but to one that comes after so long end the connection."""
    since_s = monotonic()
    while peer.read_request() and monotonic() - since_s < after_s:
        peer.socket.sendall(ANSWER)
        since_s = monotonic()


@pytest.mark.slow
def test_a_gateway_that_lost_its_own_connection_ends_the_clients_at_its_next_request() -> None:
    with misbehaving(partial(forget, after_s=1.1)) as server:
        load, options = Load(think_s=(0.1, 2.1)), {"requests": 10, "warmup": 0, "seed": 2}
        measured = plan(server.url, arms=POOLED, load=load, keep_going=True, **options)
        (arm,) = analyse(benchmark(measured)).arms
    assert arm.failed
    assert arm.reason_counts == {"first-use": 1, "late-close": arm.connections - 1}
    assert {it.who for it in arm.reasons.values() if it.code == "late-close"} == {"server"}
