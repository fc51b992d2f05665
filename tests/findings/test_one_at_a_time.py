"""Servers that answer one connection at a time, and others that look like it; real ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.server import HTTPServer, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.plans import run
from support.python_server import python_server
from support.runs import Script

from keepalive_bench import Arm, analyse
from keepalive_bench.results.exchange import Ending, Failure, Phases

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from keepalive_bench.analysis import Finding

LATE = Failure("read-timeout", "timed out")
UNHEARD = Failure("connect-timeout", "no answer to the request for a connection")
NEW = Phases(connect=0.001)


class TwoThreads(HTTPServer):
    """A pool of two threads, each of which is with one connection to its end."""

    def process_request(self, request: socket.socket, client_address: Any) -> None:  # type: ignore[override]  # noqa: ANN401
        self.threads.submit(self.answer, request, client_address)

    def answer(self, request: socket.socket, client_address: Any) -> None:  # noqa: ANN401
        try:
            self.finish_request(request, client_address)
        finally:
            self.shutdown_request(request)

    def server_activate(self) -> None:
        self.threads = ThreadPoolExecutor(2)
        super().server_activate()


@pytest.fixture
def single() -> Iterator[str]:
    """Python's own server with one thread: nschloe/tuna #178."""
    with python_server(HTTPServer) as port:
        yield f"http://127.0.0.1:{port}/"


def found(url: str, **options: Any) -> dict[str, Finding]:  # noqa: ANN401
    options = {"requests": 4, "timeout_s": 0.3, **options}
    return {it.code: it for it in analyse(run(url, **options)).findings}


def test_a_single_thread_is_recognised(single: str) -> None:
    finding = found(single, requests=8)["one-at-a-time"]
    assert (finding.severity, finding.evidence["count"]) == ("warning", 7)  # but the first
    assert finding.evidence["waited_s"] == pytest.approx(0.3, abs=0.2)
    assert "--order sequential" in finding.advice


@pytest.mark.parametrize("processes", [1, 2])
def test_sequential_order_measures_it(single: str, processes: int) -> None:
    arms = analyse(
        run(single, requests=4, timeout_s=2.0, order="sequential", processes=processes)
    ).arms
    # Two processes' pooled connections are in each other's way; those of the next arm aren't.
    assert arms[1].failed == 0
    assert processes > 1 or arms[0].failed == 0


def test_several_at_a_time_are_told_what_helps(single: str) -> None:
    finding = found(single, requests=20, concurrency=3, order="sequential")["one-at-a-time"]
    assert "--concurrency 1" in finding.advice


def test_it_is_recognised_by_those_that_others_overtake(single: str) -> None:
    # One round: nothing is answered after the kept connection has done its share.
    arms = (Arm("pooled"),)
    finding = found(single, requests=12, concurrency=6, timeout_s=0.2, arms=arms)["one-at-a-time"]
    assert (finding.evidence["count"], finding.evidence["at_a_time"]) == (5, 1)


@pytest.mark.slow
def test_a_pool_of_threads_is_told_by_its_number() -> None:
    arms = (Arm("pooled"), Arm("naive"))
    with python_server(TwoThreads) as port:
        url = f"http://127.0.0.1:{port}/"
        finding = found(url, requests=16, concurrency=4, timeout_s=0.8, arms=arms, seed=1)[
            "one-at-a-time"
        ]
    assert finding.evidence["at_a_time"] == 2
    assert "2 threads" in finding.text
    assert "--concurrency 2" in finding.advice


@pytest.mark.slow
def test_one_that_closes_idle_connections_is_recognised_by_what_waits_for_that() -> None:
    with serving(one_at_a_time=True, idle_timeout_s=0.4) as server:
        analysis = analyse(run(server.url, requests=12, timeout_s=5.0))
    (finding,) = (it for it in analysis.findings if it.code == "one-at-a-time")
    assert "only when the server had closed" in finding.text
    assert finding.evidence["waited_s"] == pytest.approx(0.4, abs=0.2)
    assert analysis.verdict.code == "not-comparable"
    assert "times can't be compared. Use --order sequential" in analysis.verdict.text


@pytest.mark.parametrize("order", ["paired", "sequential"])
def test_arms_that_kept_each_other_waiting_are_not_compared(single: str, order: Any) -> None:  # noqa: ANN401
    analysis = analyse(run(single, requests=8, timeout_s=0.3, order=order))
    assert (analysis.verdict.code == "not-comparable") is (order == "paired")
    assert ("blocked each other" in analysis.verdict.text) is (order == "paired")
    (comparison,) = analysis.comparisons
    assert (comparison.incomparable is None) is (order == "sequential")


def test_threads_are_not_taken_for_one() -> None:
    with python_server(ThreadingHTTPServer) as port:
        assert "one-at-a-time" not in found(f"http://127.0.0.1:{port}/")


def test_a_server_that_hangs_now_and_then_is_another() -> None:
    script = Script("pooled", "unpooled", requests=6)
    row = script.open("pooled")
    for number in range(6):
        script.send("pooled", 0.01, on=row, phases=Phases() if number else NEW)
        new = script.open("unpooled")
        if number == 3:  # one is answered while the other is open
            script.send("unpooled", 0.01, on=new, phases=NEW)
        else:
            script.fail("unpooled", 1.0, on=new, failure=LATE, phases=NEW)
    assert "one-at-a-time" not in {it.code for it in analyse(script.run()).findings}


def test_a_server_that_takes_as_long_as_its_idle_timeout_is_another() -> None:
    script = Script("pooled", "unpooled", requests=8)
    for _ in range(8):
        row = script.open("pooled")
        script.send("pooled", 1.0, on=row, phases=NEW)
        ended_s = script.connections.opened_s[row] + 2.0
        script.connections.ended(row, Ending("fin", 1.0, 0.99), ended_s)
        script.send("unpooled", 1.0, on=script.open("unpooled"), phases=NEW)
    assert "one-at-a-time" not in {it.code for it in analyse(script.run()).findings}


def test_a_server_that_hangs_when_the_arm_before_is_over_is_another() -> None:
    script = Script("pooled", "unpooled", requests=6, order="sequential")
    row = script.open("pooled")
    for number in range(6):
        script.send("pooled", 0.01, on=row, phases=Phases() if number else NEW)
    for number in range(6):
        new = script.open("unpooled")
        if number in {2, 3}:
            script.fail("unpooled", 1.0, on=new, failure=LATE, phases=NEW)
        else:
            script.send("unpooled", 0.01, on=new, phases=NEW)
    assert "one-at-a-time" not in {it.code for it in analyse(script.run()).findings}


@pytest.mark.parametrize("is_opened", [True, False])
def test_a_firewall_that_opens_no_more_connections_is_another(*, is_opened: bool) -> None:
    script = Script("pooled", "unpooled", requests=6)
    row = script.open("pooled")
    for number in range(6):
        script.send("pooled", 0.01, on=row, phases=Phases() if number else NEW)
        if is_opened:
            new = script.open("unpooled")
            script.fail("unpooled", 1.0, on=new, failure=LATE, phases=NEW)
        else:
            script.fail("unpooled", 1.0, failure=UNHEARD, phases=NEW)
    codes = {it.code for it in analyse(script.run()).findings}
    assert ("one-at-a-time" in codes) is is_opened
