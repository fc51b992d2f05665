from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.runs import CUT_OFF

from keepalive_bench.plan.plan import Experiment, Plan, Request, Target, Variation
from keepalive_bench.report.verbose import exchange_line
from keepalive_bench.results.columns import ExchangeColumns
from keepalive_bench.results.exchange import Answer, Exchange, Failure, Outcome, Phases

_PLAN = Plan(Target("http://127.0.0.1/"), experiment=Experiment(seed=7))


def test_a_response_on_a_new_connection() -> None:
    outcome = Outcome(
        began_s=0.5,
        latency_s=0.0647,
        connection=0,
        status=200,
        body_bytes=1536,
        phases=Phases(connect=0.0209, tls=0.0213, send=0.0001, wait=0.0212, receive=0.0011),
        answer=Answer("HTTP/1.1", "text/html; charset=utf-8"),
    )
    assert exchange_line(_PLAN, Exchange("pooled", 3, 3, outcome)) == (
        "pooled #3  200  text/html; charset=utf-8  1.5 KiB  connection 0 (new)  64.7 ms  "
        "connect 20.9 ms tls 21.3 ms send 0.100 ms wait 21.2 ms receive 1.10 ms  kab=3"
    )


def test_of_a_response_that_began_late_the_parts_add_up() -> None:
    """30 + 0.1 + 20 + 0.9 ms, as latency counts from when it was to begin."""
    phases = Phases(send=0.0001, wait=0.02, receive=0.0009)
    outcome = Outcome(0.5, 0.051, connection=0, status=200, phases=phases, queued_s=0.03)
    assert exchange_line(_PLAN, Exchange("pooled", 1, 0, outcome)) == (
        "pooled #1  200  -  0 B  connection 0  51.0 ms  "
        "queued 30.0 ms send 0.100 ms wait 20.0 ms receive 0.900 ms  kab=1"
    )


def test_a_response_on_a_used_connection_does_not_say_new() -> None:
    outcome = Outcome(0.5, 0.02, connection=4, status=204, phases=Phases(wait=0.02))
    line = exchange_line(_PLAN, Exchange("pooled", 3, 3, outcome))
    assert line == "pooled #3  204  -  0 B  connection 4  20.0 ms  wait 20.0 ms  kab=3"


@given(st.lists(st.floats(1e-7, 100), min_size=3, max_size=3))
def test_while_it_runs_a_line_reads_as_it_will_of_the_stored_run(times: list[float]) -> None:
    wait, receive, queued_s = times
    phases = Phases(wait=wait, receive=receive)
    outcome = Outcome(0.5, 200.0, connection=4, status=200, phases=phases, queued_s=queued_s)
    exchange = Exchange("pooled", 3, 3, outcome)
    columns = ExchangeColumns(("pooled",), queued=True)
    columns.append(exchange)
    assert exchange_line(_PLAN, exchange) == exchange_line(_PLAN, columns[0])


def test_a_phase_between_two_numbers_reads_as_it_will_of_the_stored_run() -> None:
    outcome = Outcome(0.5, 0.02, phases=Phases(connect=0.00048150000233055214))
    columns = ExchangeColumns(("pooled",))
    columns.append(Exchange("pooled", 3, 3, outcome))
    line = exchange_line(_PLAN, Exchange("pooled", 3, 3, outcome))
    assert line == exchange_line(_PLAN, columns[0])


def test_a_failure_says_why_and_escapes_it() -> None:
    failure = Failure("malformed-response", "\x1b[31mHTTP")
    line = exchange_line(_PLAN, Exchange("unpooled", 0, 0, Outcome(0.5, 0.02, failure=failure)))
    assert line == (
        "unpooled #0  -  -  0 B  connection -  20.0 ms  kab=0  "
        r"failed: malformed-response (\x1b[31mHTTP)"
    )


def test_what_was_cut_off_did_not_fail() -> None:
    line = exchange_line(_PLAN, Exchange("pooled", 0, 0, Outcome(0.5, 0.02, failure=CUT_OFF)))
    assert line.endswith("20.0 ms  kab=0  interrupted (the run was stopped)")


def test_secret_parameters_are_starred() -> None:
    variation = Variation(fields=(("q", ("a", "b")), ("token", ("s3kr1t",))))
    plan = Plan(Target("http://127.0.0.1/"), Request(variation=variation))
    line = exchange_line(plan, Exchange("pooled", 1, 1, Outcome(0.0, 0.02, status=200)))
    assert line.endswith("q=b&token=***")
