"""What is said of a program as a whole: the sentence, the numbers, and who wasn't traced."""

from __future__ import annotations

from itertools import chain

import pytest
from support.recordings import (
    API,
    OTHER,
    PLAIN,
    SETUP_S,
    WAIT_S,
    Program,
    Told,
    requests_get,
    session_made,
)

from keepalive_bench.trace.analysis import analyse
from keepalive_bench.trace.recording import Child, Recording
from keepalive_bench.trace.report.words import origin_table
from keepalive_bench.trace.requirements import check_usage, trace_requirements
from keepalive_bench.units import MISSING

CLOSES = PLAIN._replace(connection="close")


def sentence(program: Program) -> str:
    return analyse(program.recording()).sentence


def get(process: Told, times: int) -> None:
    """What `requests.get` does, some times."""
    for _ in range(times):
        connection = process.open(process.session(made=requests_get()), requests_get())
        process.request(connection)
        process.close(connection, "client-closed")


def kept(process: Told, requests: int) -> int:
    """A Session that keeps its connection."""
    connection = process.open(process.session())
    for _ in range(requests):
        process.request(connection)
    return connection


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def process(program: Program) -> Told:
    return program.process()


# The sentence.


def test_the_sentence_says_how_many_connections_would_have_done(
    program: Program, process: Told
) -> None:
    get(process, 214)
    connection = kept(process, 1)
    for _ in range(5):
        process.request(connection)
    assert sentence(program) == (
        "215 of 220 requests to api.example.com:443 opened a connection; 1 would do."
    )


def test_the_worst_origin_comes_first(program: Program, process: Told) -> None:
    connection = process.open(process.session(origin=OTHER), origin=OTHER)
    for _ in range(100):
        process.request(connection)
    get(process, 3)
    found = analyse(program.recording())
    assert [it.origin for it in found.origins] == [
        "https://api.example.com:443",
        "https://cdn.example.com:443",
    ]
    assert found.sentence.startswith("3 of 3 requests to api.example.com:443")


def test_if_all_is_well_it_says_so(program: Program, process: Told) -> None:
    kept(process, 220)
    assert sentence(program) == (
        "All but 1 of 220 requests to api.example.com:443 reused a connection."
    )


def test_what_the_server_does_is_not_held_against_the_program(
    program: Program, process: Told
) -> None:
    session, last = process.session(), None
    for _ in range(4):
        last = process.open(session, previous=last)
        process.request(last, answer=CLOSES)
        process.close(last, "announced")
    assert sentence(program) == (
        "4 of 4 requests to api.example.com:443 opened a connection: the server announced the "
        "close."
    )
    assert analyse(program.recording()).origins[0].would_do == 4


def test_clients_that_could_have_been_one_are_counted_though_no_reason_tells(
    program: Program, process: Told
) -> None:
    for line in (10, 20):
        process.request(process.open(process.session(made=session_made(line))))
    assert sentence(program) == (
        "2 of 2 requests to api.example.com:443 opened a connection; 1 would do."
    )


def test_a_single_request_had_nothing_to_reuse(program: Program, process: Told) -> None:
    kept(process, 1)
    assert sentence(program) == (
        "1 request to api.example.com:443 opened a connection, as there was none to reuse."
    )


def test_a_single_request_to_one_of_several_origins_does_not_hide_the_others(
    program: Program, process: Told
) -> None:
    kept(process, 40)
    process.request(process.open(process.session(origin=OTHER), origin=OTHER))
    assert sentence(program) == "All but 2 of 41 requests to 2 origins reused a connection."


def test_nothing_was_traced() -> None:
    found = analyse(Recording((), ("1-1-0.kab: not the name of a file of records",)))
    assert found.sentence.startswith("Nothing was traced: this was no Python program, or ")
    assert found.started_at is None
    assert found.damaged


def test_no_request_was_seen(program: Program, process: Told) -> None:
    assert sentence(program) == "No request was seen."
    process.refused(process.session())
    assert sentence(program) == "No request was seen: 1 connection failed."


def test_lost_records_are_told(program: Program) -> None:
    kept(program.process(lost=1_234), 10)
    assert sentence(program) == (
        "All but 1 of 10 requests to api.example.com:443 reused a connection. "
        "1,234 records didn't fit, so this isn't all."
    )


# The numbers.


def test_where_nothing_can_be_avoided_nothing_is_saved(program: Program, process: Told) -> None:
    kept(process, 5)
    usage = analyse(program.recording())
    (origin,) = usage.origins
    assert (origin.avoidable, origin.saving_s) == (0, 0.0)
    (required,) = trace_requirements(["saving<=1ms"])
    assert check_usage(required, usage).status == "met"
    (row,) = origin_table(usage).rows
    assert row[-1] == MISSING


def test_each_process_needs_connections_of_its_own(program: Program) -> None:
    for _ in range(3):
        kept(program.process(), 5)
    (origin,) = analyse(program.recording()).origins
    assert (origin.connections, origin.would_do, origin.avoidable) == (3, 3, 0)


def test_what_is_saved_is_the_setup_of_these_connections(program: Program, process: Told) -> None:
    get(process, 5)
    (origin,) = analyse(program.recording()).origins
    assert origin.saving_s == pytest.approx(4 * SETUP_S)
    assert origin.setup_s == pytest.approx(SETUP_S)


def test_how_long_it_takes_to_open_one_isnt_known_before_it_is_open(
    program: Program, process: Told
) -> None:
    process.open(ready_s=None)
    (origin,) = analyse(program.recording()).origins
    assert (origin.connections, origin.setup_s) == (1, None)


def test_latencies_are_told_apart_by_whether_a_connection_was_opened(
    program: Program, process: Told
) -> None:
    kept(process, 4)
    (origin,) = analyse(program.recording()).origins
    assert origin.latency_opened is not None
    assert origin.latency_reused is not None
    assert origin.latency_opened.mean_s == pytest.approx(SETUP_S + WAIT_S)
    assert origin.latency_reused.mean_s == pytest.approx(WAIT_S)
    assert (origin.latency_opened.count, origin.latency_reused.count) == (1, 3)


def test_a_request_that_waits_for_a_connection_needs_none_of_its_own(
    program: Program, process: Told
) -> None:
    connection = process.open(process.session())
    requests = [process.begin(connection, who=who) for who in range(3)]
    for it in requests:
        program.wait(WAIT_S)
        process.end(it)
    (origin,) = analyse(program.recording()).origins
    assert (origin.requests, origin.reused, origin.would_do) == (3, 2, 1)


def test_requests_of_http_2_share_their_connection(program: Program, process: Told) -> None:
    connection = process.open(process.session())
    requests = [process.begin(connection, who=who, is_http_2=True) for who in range(8)]
    program.wait(WAIT_S)
    for it in requests:
        process.end(it)
    (origin,) = analyse(program.recording()).origins
    assert (origin.connections, origin.would_do, origin.reused) == (1, 1, 7)


def test_a_request_that_was_never_sent_is_none(program: Program, process: Told) -> None:
    session = process.session()
    request = process.begin(None, sent_s=None)
    tried = process.refused(session)
    process.exchanges[request] = process.exchanges[request]._replace(connection=tried)
    process.fail(request, "ConnectionRefusedError")
    (origin,) = analyse(program.recording()).origins
    assert (origin.requests, origin.connections, origin.failed_connections) == (0, 0, 1)


def test_a_connection_shows_when_it_was_busy(program: Program, process: Told) -> None:
    connection = process.open(process.session())
    process.request(connection)
    program.wait(1.0)
    process.request(connection)
    (found,) = analyse(program.recording()).connections
    first_s, pause_s = SETUP_S + WAIT_S, 1.0
    assert [*chain(*found.busy)] == pytest.approx(
        [0.0, first_s, first_s + pause_s, first_s + pause_s + WAIT_S]
    )


def test_of_very_many_neighbours_are_one(program: Program, process: Told) -> None:
    connection = process.open(process.session())
    for number in range(5_000):
        process.request(connection)
        program.wait(0.001 if number % 50 else 1.0)
    (found,) = analyse(program.recording()).connections
    assert found.requests == 5_000
    assert 50 <= len(found.busy) <= 200
    assert all(since <= until for since, until in found.busy)


def test_what_is_still_under_way_when_a_process_is_killed_lasts_to_the_end(
    program: Program,
) -> None:
    process = program.process(ended_s=None)
    connection = process.open(process.session())
    process.begin(connection)
    program.wait(1.0)
    process.request(process.open(process.session(made=requests_get())), who=2)
    found = analyse(program.recording())
    assert found.processes[0].is_running
    assert found.connections[0].busy[0][1] == pytest.approx(1.0 + 2 * SETUP_S + WAIT_S)


# A part of the time, or of the threads.


def test_what_was_open_before_is_known_and_not_counted(program: Program, process: Told) -> None:
    connection = kept(process, 3)
    since_s = program.now_s
    process.request(connection)
    (origin,) = analyse(program.recording(), since_s=since_s).origins
    assert (origin.requests, origin.reused, origin.connections) == (1, 1, 0)


def test_what_is_opened_again_is_explained_by_what_was_before(
    program: Program, process: Told
) -> None:
    get(process, 1)
    since_s = program.now_s
    get(process, 1)
    (found,) = analyse(program.recording(), since_s=since_s).connections
    assert found.reason == "new-client"


def test_of_one_thread_only(program: Program, process: Told) -> None:
    first, second = (process.open(process.session(made=session_made(line))) for line in (1, 2))
    process.request(first, who=1)
    process.request(second, who=2)
    process.request(second, who=2)
    (origin,) = analyse(program.recording(), who=2).origins
    assert (origin.requests, origin.connections) == (2, 1)


# Who wasn't traced.


def test_children_without_records_are_told(program: Program, process: Told) -> None:
    now_s = program.now_s
    process.children = (
        Child(7, now_s, is_python=True, is_closed_to_tracers=True),
        Child(8, now_s, is_python=False, is_closed_to_tracers=True),
        Child(9, now_s, is_python=True, is_closed_to_tracers=False),
        Child(10, now_s, is_python=True, is_closed_to_tracers=False, is_shut_out=True),
    )
    found = analyse(program.recording()).untraced
    assert [it.pid for it in found] == [7, 8, 9, 10]
    assert "-I" in found[0].why
    assert found[1].why.startswith("not Python")
    assert found[3].why.startswith("forked")


def python(pid: int, started_s: float, *, is_closed: bool = False) -> Child:
    return Child(pid, started_s, is_python=True, is_closed_to_tracers=is_closed)


def test_a_child_with_records_isnt(program: Program, process: Told) -> None:
    process.children = (python(1_001, program.now_s),)
    program.wait(1)
    assert program.process().pid == 1_001
    assert not analyse(program.recording()).untraced


def test_an_exec_of_what_no_tracer_gets_into_is_told(program: Program, process: Told) -> None:
    program.wait(1)
    process.children = (python(process.pid, program.now_s, is_closed=True),)
    assert [it.pid for it in analyse(program.recording()).untraced] == [process.pid]


def test_a_process_number_may_come_again(program: Program, process: Told) -> None:
    closed = python(1_001, program.now_s, is_closed=True)
    program.wait(1)
    process.children = closed, python(1_001, program.now_s)
    program.wait(1)
    program.process()
    (found,) = analyse(program.recording()).untraced
    assert "-I" in found.why


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_fork_that_is_another_program_at_once_is_no_process(
    program: Program, process: Told, *, is_closed: bool
) -> None:
    process.children = (python(1_001, program.now_s, is_closed=is_closed),)
    program.wait(1)
    program.process(forked_from=process.told().key)
    found = analyse(program.recording())
    assert [it.pid for it in found.processes] == [process.pid]
    assert [it.pid for it in found.untraced] == [1_001]


def test_one_that_sends_a_request_before_is(program: Program, process: Told) -> None:
    process.children = (python(1_001, program.now_s, is_closed=True),)
    program.wait(1)
    kept(program.process(forked_from=process.told().key), 1)
    found = analyse(program.recording())
    assert [it.pid for it in found.processes] == [process.pid, 1_001]
    assert [it.pid for it in found.untraced] == [1_001]


def test_an_origin_through_a_proxy_is_one_of_its_own(program: Program, process: Told) -> None:
    through = API._replace(via="http://proxy.example.com:3128")
    session = process.session()
    process.request(process.open(session))
    process.request(process.open(session, origin=through))
    found = analyse(program.recording()).origins
    assert {it.via for it in found} == {None, "http://proxy.example.com:3128"}
