"""Other people's programs: what is said of them, held against the word of the servers they ask."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.analysed import PROGRAMS, analysed, marked, reasons, sites, told, troubles
from support.counting import (
    Counting,
    behind_a_proxy,
    embedded,
    files,
    forgetful,
    meeting,
    nobody,
    on_a_unix_socket,
    redirecting,
    through_socks,
    two,
    untrusted,
)
from support.h2_server import speaking_h2

from keepalive_bench.server import Behaviour, Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


class Case(NamedTuple):
    """A program, its server, and all that is to be said of it."""

    program: str
    requests: int
    connections: int
    reasons: dict[str, int]
    """How many connections were opened for each, but for the first use of a place."""
    server: Callable[[], AbstractContextManager[Counting]] = embedded
    code: int = 0
    """That the program ends with."""
    failed: int = 0
    """How many attempts led to no usable connection."""
    name: str = ""
    """Where one program stands several times."""
    versions: tuple[str, ...] = ("lowest", "newest")
    """Of the libraries."""
    would_do: int | None = None
    """How many connections would have done."""


def serving(
    *, fault: Fault | None = None, tls: bool = False, **behaviour: object
) -> Callable[[], AbstractContextManager[Counting]]:
    return partial(embedded, Behaviour(**behaviour), fault=fault, tls=tls)  # type: ignore[arg-type]


_JSON = "application/json"
PODS = {
    f"/api/v1/namespaces/space-{number}/pods": (_JSON, b'{"kind": "PodList", "items": []}')
    for number in range(4)
}
TOKEN = {"/token": (_JSON, b'{"access_token": "a", "expires_in": 3600}')}

CASES = (
    # Clients made again and again.
    Case("no_session", 40, 40, {"new-client": 39}),
    Case("session", 40, 1, {}),
    Case("session_for_each", 10, 10, {"new-client": 9}),
    Case("sessions_of_several_places", 3, 3, {"new-client": 2}),
    Case("targets", 4, 4, {"new-client": 3}),
    Case("session_closed", 10, 10, {"client-closed": 9}),
    Case("manager_for_each", 10, 10, {"new-client": 9}),
    Case("manager", 10, 1, {}),
    Case("reference_cycle", 6, 6, {"new-client": 5}),
    Case("http_client_for_each", 6, 6, {"new-client": 5}),
    Case("urllib_and_http_client", 10, 6, {"keeps-none": 4}),
    Case("urllib_at_several_places", 3, 3, {"keeps-none": 2}),
    Case("boto3_for_each", 4, 4, {"new-client": 3}),
    Case("boto3_once", 4, 1, {}),
    Case("boto3_upload", 4, 1, {}, serving(body_size=0)),
    Case("docker_ping", 4, 4, {"new-client": 3}),
    Case("docker_unix", 4, 4, {"new-client": 3}, on_a_unix_socket),
    Case("kubernetes_once", 4, 1, {}, partial(files, PODS)),
    Case("kubernetes_for_each", 4, 4, {"new-client": 3}, partial(files, PODS)),
    Case("google_session", 5, 2, {}, partial(files, TOKEN)),
    Case("httpx_for_each", 6, 6, {"new-client": 5}),
    Case("httpx_client", 6, 1, {}),
    Case("httpx_async_for_each", 6, 6, {"new-client": 5}),
    Case("aiohttp_in_turn", 6, 1, {}),
    Case("aiohttp_for_each", 6, 6, {"new-client": 5}),
    Case("aiohttp_request", 4, 4, {"new-client": 3}),
    Case("elastic", 5, 1, {}, serving(headers=(("X-Elastic-Product", "Elasticsearch"),))),
    Case("sentry", 5, 1, {}),
    # Responses that nobody reads.
    Case("unread_and_kept", 8, 8, {"unread-response": 7}),
    Case("unread_and_dropped", 8, 8, {"unread-response": 7}),
    Case("unread_and_closed", 8, 8, {"unread-response": 7}),
    Case("unread_urllib3", 8, 8, {"unread-response": 7}),
    Case("boto3_unread", 4, 4, {"unread-response": 3}),
    Case("httpx_unread", 5, 5, {"unread-response": 4}),
    # Many at once.
    Case("threads_on_small_pool", 96, 76, {"pool-full": 44}, partial(meeting, 32)),
    Case("threads_on_blocking_pool", 16, 4, {}, partial(meeting, 4)),
    Case("session_for_each_thread", 32, 8, {}, partial(meeting, 8)),
    Case("aiohttp_session", 16, 8, {}, partial(meeting, 8)),
    Case("httpx_async", 16, 8, {}, partial(meeting, 8)),
    Case("httpx_h2", 16, 1, {}, speaking_h2),
    Case("urllib3_h2", 4, 1, {}, speaking_h2, versions=("newest",)),
    Case("greenlets", 8, 4, {}, partial(meeting, 4)),
    Case("httpx_small_pool", 18, 14, {"pool-full": 8}, partial(meeting, 6)),
    # Settings of the client's.
    Case("asks_to_close", 6, 6, {"asked-to-close": 5}),
    Case("different_keys", 6, 2, {"different-keys": 1}, serving(tls=True)),
    Case("evicted", 8, 8, {"evicted": 6}, two),
    Case("aiohttp_forced", 5, 5, {"asked-to-close": 4}),
    Case("httpx_idle", 3, 3, {"client-idle-limit": 2}),
    Case("aiohttp_idle", 3, 3, {"client-idle-limit": 2}),
    # Requests that are given up.
    Case("impatient", 3, 3, {"after-error": 2}, serving(fault=Fault("never-answer"))),
    Case("httpx_cancelled", 3, 3, {"cancelled": 2}, serving(fault=Fault("never-answer"))),
    # Other hosts, proxies, TLS.
    Case("two_hosts", 10, 2, {"redirect": 1}, redirecting),
    Case("through_a_proxy", 8, 4, {"new-client": 3}, behind_a_proxy),
    Case("socks_manager", 4, 1, {}, through_socks),
    Case("socks_for_each", 4, 4, {"new-client": 3}, through_socks),
    Case("httpx_socks", 4, 1, {}, through_socks),
    Case("tls", 5, 1, {}, serving(tls=True)),
    # Connections that never were usable.
    Case("nobody_listens", 0, 0, {}, nobody, failed=3),
    Case("failed_handshakes", 0, 3, {"after-error": 2}, untrusted, failed=3, would_do=3),
    # Retries.
    Case("retrying", 8, 1, {}, serving(status=503)),
    Case(
        "retrying",
        8,
        8,
        {"server-close": 7},
        serving(status=503, connection_close=True),
        name="closed",
    ),
    Case(
        "retrying_lost_ones",
        7,
        4,
        {"request-limit": 3},
        serving(fault=Fault("close-on-request", requests="2")),
    ),
    # The server's doing.
    Case("bursts", 8, 4, {"idle-timeout": 3}, serving(idle_timeout_s=0.3)),
    Case("bursts", 8, 4, {"idle-timeout": 3}, serving(fault=Fault("idle-reset", 0.3)), name="rst"),
    Case("steady", 12, 4, {"request-limit": 3}, serving(silent_close_after=3), name="limit"),
    Case(
        "session_for_six",
        24,
        8,
        {"request-limit": 4, "new-client": 3},
        serving(silent_close_after=3),
        would_do=8,
    ),
    Case("polling", 5, 5, {"undecided": 4}, serving(fault=Fault("idle-reset", 0.1)), name="rst"),
    Case(
        "polling", 5, 5, {"unsolicited-data": 4}, serving(fault=Fault("idle-408", 0.1)), name="408"
    ),
    Case("polling", 5, 3, {"undecided": 2}, serving(max_age_s=1.2), name="age or limit"),
    Case("session", 40, 4, {"server-close": 3}, serving(close_after=10), name="announced"),
    Case(
        "session",
        40,
        40,
        {"server-close": 39},
        serving(connection_close=True),
        name="no keep-alive",
    ),
    Case("manager", 10, 10, {"http-1.0": 9}, serving(http_10=True), name="HTTP/1.0"),
    Case("session", 40, 10, {"server-close": 9}, serving(keep_alive_max=3), name="maximum"),
    Case(
        "session",
        40,
        40,
        {"close-delimited": 39},
        serving(fault=Fault("close-delimited")),
        name="delimited",
    ),
    Case("polling_with_retries", 11, 4, {"idle-drop": 3}, forgetful),
    Case("http_client", 6, 6, {"server-close": 5}, serving(connection_close=True)),
    Case("httpx_client", 6, 3, {"server-close": 2}, serving(close_after=2), name="announced"),
    Case("httpx_polling", 3, 3, {"undecided": 2}, serving(idle_timeout_s=0.1)),
    Case("aiohttp_in_turn", 6, 3, {"server-close": 2}, serving(close_after=2), name="announced"),
    Case("aiohttp_polling", 3, 3, {"undecided": 2}, serving(idle_timeout_s=0.1)),
    Case(
        "session",
        40,
        4,
        {"error-response": 3},
        serving(fault=Fault("error-close", requests="*/10")),
        name="errors",
    ),
    # Processes.
    Case("forked", 9, 1, {}),
    Case("forked_and_closed", 5, 2, {"forked": 1}),
    Case("forked_and_cleared", 9, 3, {"forked": 2}),
    Case("forked_before_use", 12, 3, {}),
    Case("pool_by_fork", 8, 2, {}),
    Case("pool_by_spawn", 8, 2, {}),
    Case("pool_of_targets", 4, 4, {"new-client": 3}),
    Case("pool_by_forkserver", 8, 2, {}),
    Case("subprocesses", 6, 6, {"keeps-none": 4}),
    Case("executed", 3, 3, {}),
    Case("killed", 5, 5, {"new-client": 4}, code=-9),
    Case("exits_at_once", 5, 1, {}, code=3),
)


ELSEWHERE = (
    "boto3",
    "docker",
    "elasticsearch",
    "gevent",
    "google",
    "httpx",
    "kubernetes",
    "sentry_sdk",
    "urllib3.contrib.socks",
)
"""Libraries that kab's own tests don't have."""


def is_at_home(case: Case) -> bool:
    """Whether it is tried here, too: it needs nothing else, and doesn't wait."""
    text = (PROGRAMS / f"{case.program}.py").read_text("utf-8")
    needed = (f"{word} {it}" for it in ELSEWHERE for word in ("import", "from"))
    return len(case.versions) > 1 and not any(it in text for it in (*needed, "sleep("))


def check(case: Case, python: str, folder: Path) -> None:
    program = PROGRAMS / f"{case.program}.py"
    with case.server() as server:
        done = analysed([python, str(program), *server.words], folder)
        counts = server.counts()
    assert (done.code, counts) == (case.code, (case.connections, case.requests)), done.err
    assert told(done.usage) == counts
    assert sum(it.failed_connections for it in done.usage.origins) == case.failed
    assert reasons(done.usage) == case.reasons
    would_do = sum(it.would_do for it in done.usage.origins)
    assert case.would_do in {None, would_do}
    assert sites(done.usage) == {(str(program), line) for line in marked(program)}
    assert troubles(done.usage) == []


def identity(case: Case) -> str:
    return f"{case.program}: {case.name}" if case.name else case.program


@pytest.mark.parametrize("case", [it for it in CASES if is_at_home(it)], ids=identity)
def test_a_program_is_told_its_connections_and_why_each_was_opened(
    case: Case, tmp_path: Path
) -> None:
    check(case, sys.executable, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("case", "versions"),
    [pytest.param(it, each, id=f"{identity(it)}-{each}") for it in CASES for each in it.versions],
)
def test_so_it_is_with_the_lowest_and_the_newest_libraries(
    case: Case, versions: str, venvs: Callable[[str], str], tmp_path: Path
) -> None:
    check(case, venvs(versions), tmp_path)
