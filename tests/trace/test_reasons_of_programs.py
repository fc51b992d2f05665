"""Why a program's connections were opened, from recordings that tell one story each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.recordings import (
    API,
    OTHER,
    PLAIN,
    WAIT_S,
    Program,
    Told,
    requests_get,
    session_get,
    session_made,
    stack,
)

from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS, ReasonKind
from keepalive_bench.trace.analysis import analyse
from keepalive_bench.trace.analysis.call_sites import Calls
from keepalive_bench.trace.analysis.lives import Scope
from keepalive_bench.trace.analysis.openings import Group
from keepalive_bench.trace.analysis.processes import Peers, Routes, Traced
from keepalive_bench.trace.analysis.reasons import Reason
from keepalive_bench.trace.findings import advice
from keepalive_bench.trace.recording import Frame

if TYPE_CHECKING:
    from keepalive_bench.trace.recording import Origin
    from keepalive_bench.trace.usage import Opening, OriginUsage, Usage

NOT_OF_PROGRAMS = {"by-design", "pool-exhausted", "unread-body"}
"""Reasons of kab's own arms."""
NAMED = [it for it in (*REASON_KINDS, *PROGRAM_REASONS) if it.code not in NOT_OF_PROGRAMS]
CLOSES = PLAIN._replace(connection="close")


class Story(NamedTuple):
    program: Program
    process: Told


@pytest.fixture
def story() -> Story:
    program = Program()
    return Story(program, program.process())


def reasons(story: Story, origin: Origin = API) -> list[str]:
    """Of each connection to an origin, in order."""
    name = f"{origin.scheme}://{origin.name}"
    return [it.reason for it in analyse(story.program.recording()).connections if it.origin == name]


def opening(usage: Usage, reason: str) -> Opening:
    return next(it for origin in usage.origins for it in origin.openings if it.reason == reason)


def told(story: Story, reason: str) -> Opening:
    return opening(analyse(story.program.recording()), reason)


def origin(story: Story) -> OriginUsage:
    return analyse(story.program.recording()).origins[0]


def get(process: Told, line: int = 31) -> None:
    """What `requests.get` does."""
    connection = process.open(process.session(made=requests_get(line)), requests_get(line))
    process.request(connection)
    process.close(connection, "client-closed", requests_get(line))


# A client made again and again.


def test_requests_get_makes_a_session_each_time(story: Story) -> None:
    for _ in range(3):
        get(story.process)
    assert reasons(story) == ["first-use", "new-client", "new-client"]
    found = told(story, "new-client")
    assert found.text == "requests.get makes a Session each time."
    assert found.code == "session = requests.Session()"
    assert (found.calls, found.site and found.site.line) == ("requests.get", 31)


def test_it_does_so_wherever_it_is_called(story: Story) -> None:
    get(story.process, line=10)
    get(story.process, line=20)
    assert reasons(story) == ["first-use", "new-client"]


def test_a_session_in_each_call_is_made_again_though_it_sends_several_requests(
    story: Story,
) -> None:
    for _ in range(2):
        session = story.process.session()
        connection = story.process.open(session)
        for _ in range(5):
            story.process.request(connection)
        story.process.close(connection, "collected")
        story.process.end_client(session)
    assert reasons(story) == ["first-use", "new-client"]
    found = told(story, "new-client")
    assert found.text == "A new requests.Session is made each time at app.py:30 in sync."
    assert found.requests == 5


def test_sessions_of_two_places_are_two_clients(story: Story) -> None:
    for line in (10, 20):
        connection = story.process.open(story.process.session(made=session_made(line)))
        story.process.request(connection)
    assert reasons(story) == ["first-use", "first-use"]


def test_a_client_that_is_made_while_another_one_is_busy_is_none_too_many(story: Story) -> None:
    first, second = (story.process.open(story.process.session()) for _ in range(2))
    requests = [story.process.begin(first), story.process.begin(second, who=2)]
    story.program.wait(WAIT_S)
    for it in requests:
        story.process.end(it)
    assert reasons(story) == ["first-use", "first-use"]
    assert origin(story).would_do == 2


def test_nor_is_one_of_a_thread_whose_neighbour_goes_on_with_its_own(story: Story) -> None:
    first = story.process.open(story.process.session())
    story.process.request(first, who=1)
    second = story.process.open(story.process.session())
    story.process.request(second, who=2)
    story.process.request(first, who=1)
    assert reasons(story) == ["first-use", "first-use"]


@pytest.mark.parametrize(
    ("clients", "reason"), [(2, "unknown"), (3, "new-client")], ids=["one may go on", "many don't"]
)
def test_as_long_as_a_process_runs_an_earlier_client_may_be_used_again(
    clients: int, reason: str
) -> None:
    program = Program()
    story = Story(program, program.process(ended_s=None))
    for _ in range(clients):
        story.process.request(story.process.open(story.process.session()))
    assert reasons(story) == ["first-use"] + [reason] * (clients - 1)


def test_a_client_that_nobody_keeps_would_have_lost_what_the_server_closed(story: Story) -> None:
    for _ in range(3):
        connection = story.process.open(story.process.session(made=requests_get()), requests_get())
        story.process.request(connection, answer=CLOSES)
        story.process.close(connection, "announced")
    assert reasons(story) == ["first-use", "server-close", "server-close"]
    assert origin(story).avoidable == 0


def test_a_connection_that_would_have_waited_longer_than_the_server_does_is_not_saved(
    story: Story,
) -> None:
    answer = PLAIN._replace(keep_alive="timeout=5")
    for pause_s in (4.0, 6.0, 0.0):
        connection = story.process.open(story.process.session(made=requests_get()), requests_get())
        story.process.request(connection, answer=answer)
        story.process.close(connection, "client-closed")
        story.program.wait(pause_s)
    assert reasons(story) == ["first-use", "new-client", "new-client"]
    assert (origin(story).avoidable, origin(story).would_do) == (1, 2)


def test_nor_is_one_that_the_server_would_have_closed_after_so_many_requests(
    story: Story,
) -> None:
    for _ in range(3):
        session = story.process.session(made=session_made())
        for ending in ("found-fin", "client-closed"):
            connection = story.process.open(session)
            for _ in range(3):
                story.process.request(connection)
            story.process.close(connection, ending)
    assert reasons(story) == ["first-use", *["request-limit", "new-client"] * 2, "request-limit"]
    assert (origin(story).avoidable, origin(story).would_do) == (0, 6)
    found = told(story, "new-client")
    assert found.text.endswith(
        ", but the server would hardly have kept the connection before until then."
    )
    assert found.cure == ""


def test_one_of_another_place_is_made_again_once_the_first_one_is_thrown_away(
    story: Story,
) -> None:
    for line in (10, 20):
        session = story.process.session(made=session_made(line))
        connection = story.process.open(session)
        story.process.request(connection)
        story.process.close(connection, "collected")
        story.process.end_client(story.process.clients[session].of or 0)
    assert reasons(story) == ["first-use", "new-client"]
    assert told(story, "new-client").text == (
        "A new requests.Session is made at app.py:20 in sync, and an earlier one was thrown away."
    )


def test_unless_it_was_there_before(story: Story) -> None:
    kept = story.process.session(made=session_made(10))
    story.program.wait(WAIT_S)
    session = story.process.session(made=session_made(20))
    connection = story.process.open(session)
    story.process.request(connection)
    story.process.close(connection, "collected")
    story.process.end_client(story.process.clients[session].of or 0)
    story.process.request(story.process.open(kept))
    assert reasons(story) == ["first-use", "first-use"]


def test_a_thread_that_begins_in_a_library_tells_what_it_calls(story: Story) -> None:
    calls = requests_get()[:-2]
    thread = Frame("/usr/lib/python3.12/threading.py", 1, "run")
    for _ in range(2):
        session = story.process.session(made=(*calls, thread))
        story.process.request(story.process.open(session, (*calls, thread)))
    found = told(story, "new-client")
    assert (found.site, found.calls) == (None, "requests.get")
    assert found.text == "requests.get makes a Session each time."


def test_a_client_of_urllib3_that_the_program_makes_is_named(story: Story) -> None:
    for _ in range(2):
        manager = story.process.client("urllib3.poolmanager.PoolManager", stack(5))
        called = stack(6, ("urllib3/poolmanager.py", "urlopen"))
        story.process.request(story.process.open(story.process.pool(manager), called))
    assert told(story, "new-client").text == (
        "A new urllib3.PoolManager is made each time at app.py:5 in sync."
    )


def test_a_body_of_boto3_is_read_in_its_own_way(story: Story) -> None:
    called = stack(13, ("botocore/client.py", "_api_call"), ("botocore/httpsession.py", "send"))
    session = story.process.session()
    for _ in range(2):
        connection = story.process.open(session, called)
        story.process.request(connection, ended_s=None)
        story.process.close(connection, "unread")
    assert told(story, "unread-response").code == 'data = response["Body"].read()'


def test_what_no_server_does_is_not_the_servers_error(story: Story) -> None:
    session = story.process.session()
    first = story.process.open(session)
    story.process.fail(story.process.begin(first), "RuntimeError")
    story.process.close(first, "failed")
    story.process.request(story.process.open(session))
    assert told(story, "cancelled").who == "client"


def test_whoever_asks_for_no_close_had_not_to_open_one_because_of_others_that_do(
    story: Story,
) -> None:
    opened = stack(8, ("urllib/request.py", "urlopen"), ("http/client.py", "connect"))
    connection = story.process.open(None, opened)
    story.process.request(connection, answer=CLOSES, asks_to_close=True)
    story.process.close(connection, "announced")
    get(story.process)
    assert reasons(story) == ["first-use", "first-use"]


def test_boto3_makes_a_client_for_each_call(story: Story) -> None:
    made = stack(12, ("boto3/__init__.py", "client"), ("botocore/httpsession.py", "__init__"))
    called = stack(13, ("botocore/client.py", "_api_call"), ("botocore/httpsession.py", "send"))
    for _ in range(2):
        connection = story.process.open(story.process.session(made=made), called)
        story.process.request(connection)
    found = told(story, "new-client")
    assert found.calls == "boto3 client"
    assert found.text == "boto3.client makes a client each time at app.py:12 in sync."
    assert found.code == "client = boto3.client(…)"


def test_a_task_that_lost_who_called_it_is_told_by_where_its_client_was_made(story: Story) -> None:
    lost = stack(99, ("asyncio/runners.py", "run"), ("asyncio/events.py", "_run"))
    made = stack(7, ("aiohttp/client.py", "__init__"), function="fetch")
    for _ in range(2):
        client = story.process.client("aiohttp.TCPConnector", made)
        story.process.request(story.process.open(client, lost))
    found = told(story, "new-client")
    assert found.site is not None
    assert (found.site.line, found.site.function) == (7, "fetch")
    assert found.text == "A new aiohttp.ClientSession is made each time."


def test_a_pool_for_each_request_is_a_client_for_each(story: Story) -> None:
    process = story.process
    asked = stack(33, ("urllib3/_request_methods.py", "request"))
    for _ in range(2):
        pool = process.client("urllib3.connectionpool.HTTPConnectionPool", asked)
        connection = process.open(pool, asked)
        process.request(connection)
        process.close(connection, "collected", asked)
    found = told(story, "new-client")
    assert found.text == "A new urllib3.HTTPConnectionPool is made each time."
    assert found.code == "pool = urllib3.HTTPConnectionPool(host, port)"


def test_urlopen_keeps_no_connection(story: Story) -> None:
    opened = stack(8, ("urllib/request.py", "urlopen"), ("http/client.py", "connect"))
    for _ in range(3):
        connection = story.process.open(None, opened)
        story.process.request(connection, answer=CLOSES, asks_to_close=True)
        story.process.close(connection, "announced")
    assert reasons(story) == ["first-use", "keeps-none", "keeps-none"]
    found = told(story, "keeps-none")
    assert found.text == "urlopen opens a connection for each request."
    assert found.cure.endswith("in place of urlopen")
    assert found.is_avoidable


def test_whoever_asks_for_the_close_ends_the_connection_even_where_the_library_is_faster(
    story: Story,
) -> None:  # aiohttp 3.9 closes it itself then
    pool = story.process.pool(story.process.client("aiohttp.ClientSession", session_made()))
    for _ in range(2):
        connection = story.process.open(pool)
        story.process.request(connection, answer=CLOSES, asks_to_close=True)
        story.process.close(connection, "connection-closed")
    assert reasons(story) == ["first-use", "asked-to-close"]


def test_a_connection_of_http_client_for_each_request_is_a_client_for_each(story: Story) -> None:
    opened = stack(8, ("http/client.py", "request"), ("http/client.py", "connect"))
    for _ in range(2):
        connection = story.process.open(None, opened)
        story.process.request(connection)
        story.process.close(connection, "connection-closed", opened)
    assert reasons(story) == ["first-use", "new-client"]
    found = told(story, "new-client")
    assert found.text == "A new http.client.HTTPConnection is made each time."
    assert found.code == "connection = http.client.HTTPConnection(…)"


def test_a_session_whose_proxy_is_asked_by_a_client_of_its_own_is_made_again(story: Story) -> None:
    for _ in range(2):
        manager = story.process.client("urllib3.poolmanager.ProxyManager", session_get())
        story.process.request(story.process.open(story.process.pool(manager)))
    found = told(story, "new-client")
    assert found.text == "A new client is made each time."
    assert found.code == "session = requests.Session()"


# One client that doesn't keep its connections.


def test_what_the_program_closes_and_uses_again_is_opened_again(story: Story) -> None:
    closing = stack(40, ("requests/sessions.py", "close"))
    manager = story.process.client(made=session_made())
    for _ in range(3):
        connection = story.process.open(story.process.pool(manager))
        story.process.request(connection)
        story.process.close(connection, "client-closed", closing)
    assert reasons(story) == ["first-use", "client-closed", "client-closed"]
    found = told(story, "client-closed")
    assert "at app.py:40 in sync" in found.text


def test_so_it_is_with_a_connection_of_http_client(story: Story) -> None:
    first = story.process.open()
    story.process.request(first)
    story.process.close(first, "connection-closed")
    story.process.request(story.process.open(previous=first))
    assert reasons(story) == ["first-use", "client-closed"]


def test_a_pool_that_was_evicted_is_made_again(story: Story) -> None:
    manager = story.process.client(made=session_made(), most=1)
    for _ in range(3):
        for it in (API, OTHER):
            connection = story.process.open(story.process.pool(manager, origin=it), origin=it)
            story.process.request(connection)
            story.process.close(connection, "evicted")
    assert reasons(story) == ["first-use", "evicted", "evicted"]
    assert "pool_connections=2" in told(story, "evicted").code


def test_different_settings_are_different_pools(story: Story) -> None:
    manager = story.process.client(made=session_made())
    pools = [
        story.process.pool(manager),
        story.process.pool(manager, differs=("cert_reqs", "ca_certs")),
    ]
    connections = []
    for pool in pools:
        connections.append(story.process.open(pool))
        story.process.request(connections[-1])
    for it in connections * 2:
        story.process.request(it)
    assert reasons(story) == ["first-use", "different-keys"]
    assert "cert_reqs, ca_certs" in told(story, "different-keys").text
    assert origin(story).avoidable == 0  # both are in use again


def test_settings_that_differ_each_time_are_avoidable(story: Story) -> None:
    manager = story.process.client(made=session_made())
    for number in range(3):
        pool = story.process.pool(manager, differs=("headers",) if number else ())
        story.process.request(story.process.open(pool))
    assert reasons(story) == ["first-use", "different-keys", "different-keys"]
    assert (origin(story).avoidable, origin(story).would_do) == (2, 1)


def test_a_response_that_is_dropped_unread_takes_its_connection_with_it(story: Story) -> None:
    session = story.process.session()
    for _ in range(3):
        connection = story.process.open(session)
        story.process.request(connection, ended_s=None)
        story.process.close(connection, "unread")
    assert reasons(story) == ["first-use", "unread-response", "unread-response"]
    assert told(story, "unread-response").code.startswith("with session.get(url, stream=True)")
    assert advice(told(story, "unread-response")).startswith(
        "Read each body to its end, those of error responses included: with session.get("
    )
    assert origin(story).would_do == 1


def test_a_response_that_is_held_unread_keeps_its_connection_busy(story: Story) -> None:
    session = story.process.session()
    for _ in range(3):
        story.process.request(story.process.open(session), ended_s=None)
    assert reasons(story) == ["first-use", "unread-response", "unread-response"]
    assert told(story, "unread-response").evidence["held"] == 2


def test_each_that_is_held_is_held_against_one_connection_only(story: Story) -> None:
    session = story.process.session()
    held = story.process.open(session)
    story.process.request(held, ended_s=None)
    second = story.process.open(session)
    busy = story.process.begin(second)
    third = story.process.open(session)
    story.process.request(third, who=2)
    story.process.end(busy)
    assert reasons(story) == ["first-use", "unread-response", "first-use"]


def test_a_response_that_another_thread_may_be_reading_proves_nothing(story: Story) -> None:
    session = story.process.session()
    story.process.request(story.process.open(session), who=1, ended_s=None)
    story.process.request(story.process.open(session), who=2)
    assert reasons(story) == ["first-use", "unknown"]


def test_a_response_that_is_read_in_the_end_is_under_way_until_then(story: Story) -> None:
    session = story.process.session()
    first, second = (story.process.open(session) for _ in range(2))
    requests = [story.process.begin(it) for it in (first, second)]
    for it in requests:
        story.process.end(it, ended_s=story.program.now_s + 1.0)
    assert reasons(story) == ["first-use", "first-use"]
    assert origin(story).would_do == 2


def test_a_pool_that_is_too_small_discards_what_comes_back(story: Story) -> None:
    session = story.process.session(most=10)
    for _ in range(2):
        kept = [it for it, told in story.process.connections.items() if told.ended_s is None]
        used = kept + [story.process.open(session) for _ in range(32 - len(kept))]
        requests = [story.process.begin(it, who=who) for who, it in enumerate(used)]
        story.program.wait(1.0)
        for it in requests:
            story.process.end(it)
        for it in used[10:]:
            story.process.close(it, "pool-full")
    assert reasons(story) == ["first-use"] * 32 + ["pool-full"] * 22
    found = told(story, "pool-full")
    assert found.text == "The pool keeps 10 connections, and 32 were in use at once."
    assert "pool_maxsize=32" in found.code
    assert origin(story).would_do == 32


def test_a_client_has_an_idle_limit_of_its_own(story: Story) -> None:
    made = stack(3, ("httpx/_client.py", "__init__"))
    called = stack(5, ("httpx/_client.py", "get"), ("httpx/_client.py", "request"))
    client = story.process.client("httpcore.ConnectionPool", made)
    for _ in range(3):
        connection = story.process.open(client, called)
        story.process.request(connection)
        story.program.wait(7.0)
        story.process.close(connection, "expired")
    assert reasons(story) == ["first-use", "client-idle-limit", "client-idle-limit"]
    found = told(story, "client-idle-limit")
    assert found.code == "client = httpx.Client(limits=httpx.Limits(keepalive_expiry=8))"
    assert (found.calls, found.is_avoidable) == ("Client.get", True)


def test_what_the_program_gave_up_is_nobodys_failure(story: Story) -> None:
    client = story.process.client("aiohttp.TCPConnector", session_made())
    connection = story.process.open(client)
    request = story.process.begin(connection)
    story.process.fail(request, "asyncio.exceptions.CancelledError")
    story.process.close(connection, "failed")
    story.process.request(story.process.open(client))
    assert reasons(story) == ["first-use", "cancelled"]


def test_requests_that_ask_for_the_close_get_it(story: Story) -> None:
    session = story.process.session()
    last = None
    for _ in range(3):
        last = story.process.open(session, previous=last)
        story.process.request(last, answer=CLOSES, asks_to_close=True)
        story.process.close(last, "announced")
    assert reasons(story) == ["first-use", "asked-to-close", "asked-to-close"]
    found = told(story, "asked-to-close")
    assert (found.who, found.is_avoidable) == ("client", True)


# One more that is needed.


def test_as_many_as_are_busy_at_once_are_needed(story: Story) -> None:
    session = story.process.session()
    requests = [story.process.begin(story.process.open(session), who=who) for who in range(4)]
    for it in requests:
        story.process.end(it)
    assert reasons(story) == ["first-use"] * 4
    assert (origin(story).would_do, origin(story).avoidable) == (4, 0)


def test_one_that_is_opened_though_another_is_free_is_unknown(story: Story) -> None:
    session = story.process.session()
    first = story.process.open(session)
    story.process.request(first)
    story.program.wait(1.0)
    story.process.request(story.process.open(session))
    assert reasons(story) == ["first-use", "unknown"]


def test_unless_it_had_become_free_just_then(story: Story) -> None:
    session = story.process.session()
    story.process.request(story.process.open(session))
    story.program.wait(0.001)
    story.process.request(story.process.open(session), who=2)
    assert reasons(story) == ["first-use", "first-use"]


def test_a_redirect_leads_to_another_origin(story: Story) -> None:
    manager = story.process.client(made=session_made())
    here = story.process.open(story.process.pool(manager))
    story.process.request(here, status=301, redirect=OTHER)
    there = story.process.open(story.process.pool(manager, origin=OTHER), origin=OTHER)
    story.process.request(there)
    assert reasons(story, OTHER) == ["redirect"]
    found = told(story, "redirect")
    assert "https://cdn.example.com:443" in found.cure
    assert not found.is_avoidable


def test_a_redirect_that_somebody_else_got_leads_nobody(story: Story) -> None:
    manager = story.process.client(made=session_made())
    here = story.process.open(story.process.pool(manager))
    story.process.request(here, status=301, redirect=OTHER, who=1)
    there = story.process.open(story.process.pool(manager, origin=OTHER), origin=OTHER)
    story.process.request(there, who=2)
    assert reasons(story, OTHER) == ["first-use"]


# What others did.


def test_an_attempt_that_failed_is_none_that_was_opened(story: Story) -> None:
    session = story.process.session()
    tried = story.process.refused(session)
    story.process.request(story.process.open(session, previous=tried))
    assert reasons(story) == ["first-use"]
    assert (origin(story).connections, origin(story).failed_connections) == (1, 1)


def test_a_retry_goes_back_to_the_connection_before_the_attempts(story: Story) -> None:
    session = story.process.session()
    first = story.process.open(session)
    story.process.request(first, answer=CLOSES)
    story.process.close(first, "announced")
    tried = story.process.refused(session, previous=first)
    story.process.request(story.process.open(session, previous=tried))
    assert reasons(story) == ["first-use", "server-close"]


def test_a_handshake_that_failed_is_why_there_is_another_one(story: Story) -> None:
    for _ in range(2):
        failed = story.process.open(
            story.process.session(made=requests_get()), failure="ssl.SSLCertVerificationError"
        )
        story.process.close(failed, "failed")
    assert reasons(story) == ["first-use", "after-error"]
    assert (origin(story).connections, origin(story).failed_connections) == (2, 2)
    assert (origin(story).would_do, origin(story).requests) == (2, 0)


def test_a_request_that_failed_is_why_there_is_another_connection(story: Story) -> None:
    session = story.process.session()
    first = story.process.open(session)
    story.process.fail(story.process.begin(first), "http.client.RemoteDisconnected")
    story.process.close(first, "failed")
    story.process.request(story.process.open(session, previous=first))
    assert reasons(story) == ["first-use", "after-error"]
    assert origin(story).failed == 1


def test_an_idle_timeout_is_named_as_kab_run_does(story: Story) -> None:
    session, last = story.process.session(), None
    for requests in (3, 1, 4, 1, 5):
        last = story.process.open(session, previous=last)
        for _ in range(requests):
            story.process.request(last)
            story.program.wait(0.2)
        story.program.wait(5.0)
        story.process.close(last, "found-fin")
    assert reasons(story) == ["first-use"] + ["idle-timeout"] * 4
    found = told(story, "idle-timeout")
    said = "The server closed connections within 5.20 s of their last response (4 times)"
    assert said in found.text
    assert "(default: 75 s" in found.cure  # nginx's, as nothing names the server
    assert found.who == "server"


def test_a_close_that_is_found_late_says_how_long_a_timeout_is_at_most(story: Story) -> None:
    """The server's is 0.15 s, say: nothing shows that, as the pauses are longer."""
    session, last = story.process.session(), None
    for pause_s in (0.3, 0.2, 0.5, 0.3, 0.2):
        last = story.process.open(session, previous=last)
        for _ in range(2):
            story.process.request(last)
        story.program.wait(pause_s)
        story.process.close(last, "found-fin")
    assert reasons(story) == ["first-use"] + ["undecided"] * 4
    found = told(story, "undecided")
    both = "a limit of 2 requests and an idle timeout of 200 ms or less would each explain it"
    assert both in found.text
    assert found.cure == "Shorter pauses, now and then, tell them apart."


def test_what_a_forwarding_proxy_closes_the_proxy_closed(story: Story) -> None:
    through = API._replace(scheme="http", port=80, via="http://proxy.example.com:3128")
    session, last = story.process.session(), None
    for _ in range(3):
        last = story.process.open(session, origin=through, previous=last)
        story.process.request(last, answer=CLOSES)
        story.process.close(last, "announced")
    found = told(story, "server-close")
    assert found.who == "proxy"
    assert found.text.startswith("The proxy proxy.example.com:3128 sent Connection: close")


def test_the_server_that_names_itself_is_told_how_to_set_it(story: Story) -> None:
    answer = CLOSES._replace(server="nginx/1.24.0")
    session, last = story.process.session(), None
    for _ in range(3):
        last = story.process.open(session, previous=last)
        for _ in range(4):
            story.process.request(last, answer=answer)
        story.process.close(last, "announced")
    assert "keepalive_requests" in told(story, "server-close").cure


def test_one_pattern_is_found_in_all_processes_together(story: Story) -> None:
    """Each process alone has too few."""
    for number in range(4):
        process = story.process if not number else story.program.process()
        session = process.session()
        first = process.open(session)
        for _ in range(7):
            process.request(first)
        process.close(first, "found-fin")
        process.request(process.open(session, previous=first))
    assert reasons(story).count("request-limit") == 4


# Forks.


def test_a_fork_inherits_the_client_and_opens_connections_of_its_own(story: Story) -> None:
    manager = story.process.client(made=session_made())
    made_s = story.process.clients[manager].made_s
    story.process.request(story.process.open(story.process.pool(manager)))
    story.program.wait(1.0)
    child = story.program.process(forked_from="1000-1")
    inherited = child.client(made_s=made_s)
    pool = child.pool(inherited, made_s=made_s)
    child.request(child.open(pool))
    assert reasons(story) == ["first-use", "forked"]
    assert not told(story, "forked").is_avoidable


def test_a_client_that_was_not_used_before_the_fork_is_as_good_as_new(story: Story) -> None:
    manager = story.process.client(made=session_made())
    made_s = story.process.clients[manager].made_s
    child = story.program.process(forked_from="1000-1")
    pool = child.pool(child.client(made_s=made_s), made_s=made_s)
    child.request(child.open(pool))
    assert reasons(story) == ["first-use"]


def test_what_its_siblings_did_is_not_what_a_process_inherits(story: Story) -> None:
    manager = story.process.client(made=session_made())
    made_s = story.process.clients[manager].made_s
    for _ in range(2):
        child = story.program.process(forked_from="1000-1")
        pool = child.pool(child.client(made_s=made_s), made_s=made_s)
        child.request(child.open(pool))
        story.program.wait(1.0)
    assert reasons(story) == ["first-use"] * 2


def test_an_inherited_connection_was_not_opened_here(story: Story) -> None:
    session = story.process.session()
    first = story.process.open(session)
    story.process.request(first)
    child = story.program.process(forked_from="1000-1")
    inherited = child.open(child.session(made=()), inherited_from=first)
    child.request(inherited)
    found = analyse(story.program.recording())
    assert [it.connections for it in found.processes] == [1, 0]
    assert (found.origins[0].requests, found.origins[0].reused) == (2, 1)


@pytest.mark.parametrize("is_in_child", [True, False])
def test_what_a_forked_process_may_have_asked_for_is_not_the_servers_doing(
    story: Story, *, is_in_child: bool
) -> None:
    session = story.process.session()
    first = found = story.process.open(session)
    story.process.request(first)
    story.program.wait(1.0)
    process = story.program.process(forked_from="1000-1")
    if is_in_child:
        session = process.session(made=())
        found = process.open(session, inherited_from=first)
    else:
        process = story.process
    story.program.wait(1.0)
    process.close(found, "found-data")
    process.request(process.open(session, previous=found))
    assert reasons(story) == ["first-use", "unknown"]


# Words.


@pytest.mark.parametrize("kind", NAMED, ids=lambda it: it.code)
def test_each_reason_has_words_for_whatever_was_seen(kind: ReasonKind, story: Story) -> None:
    story.process.request(story.process.open(story.process.session()))
    traced = Traced(story.process.told(), 0, Peers(), Routes(), Calls(), Scope())
    group = Group(kind, traced.lives[0], traced)
    group.add(traced.lives[0], Reason(kind, kind.who, {}))
    text, cure = group.text(), " ".join(group.cure(API))
    assert "{" not in text + cure
    assert "--" not in cure.replace("--verbose", "")
    assert text[:1].isupper() or text.startswith("http.client")


# Call sites.


def test_the_call_is_the_programs_own_and_not_a_librarys(story: Story) -> None:
    called = stack(
        5,
        ("elasticsearch/_sync/client/utils.py", "wrapped"),
        ("elasticsearch/_sync/client/__init__.py", "search"),
        ("urllib3/poolmanager.py", "urlopen"),
    )
    story.process.request(story.process.open(story.process.session(), called))
    found = told(story, "first-use")
    assert (found.calls, found.site and found.site.line) == ("elasticsearch.search", 5)


def test_a_copy_of_urllib3_in_another_package_is_known(story: Story) -> None:
    called = stack(5, ("pip/_vendor/urllib3/poolmanager.py", "request"))
    story.process.request(story.process.open(story.process.session(), called))
    assert told(story, "first-use").calls == "PoolManager.request"


def test_the_session_is_told_from_its_methods(story: Story) -> None:
    story.process.request(story.process.open(story.process.session(), session_get()))
    assert told(story, "first-use").calls == "Session.get"
