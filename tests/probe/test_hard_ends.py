"""Probes of servers that keep no connection, answer nothing, or answer what nobody wants."""

from __future__ import annotations

import json
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.command import Finished, called
from support.misbehaving import ANSWER, Misbehaving, forever, misbehaving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.misbehaving import Peer

    from keepalive_bench.server import Server

_IDLE_S = 0.3
_ERROR = "Error: Nothing was measured: "
_COARSE_S = (0.5, 0.72, 0.6, 0.95, 1.1, 0.83, 0.65)
"""Idle timeouts, one connection after the other."""


def probed(server: Misbehaving | Server, *arguments: str, max_idle_s: float = _IDLE_S) -> Finished:
    words = ("--max-idle", f"{max_idle_s}s", "--quiet", *arguments)
    done = called("probe", server.url, *words)
    assert "Traceback" not in done.text
    return done


def said(done: Finished) -> str:
    """Standard output, as one line."""
    return " ".join(done.out.split())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"connection_close": True},
            "Closes each connection after one response, as its responses announce: ",
        ),
        (
            {"silent_close_after": 1},
            "Closes each connection after one response, though its responses don't announce that: ",
        ),
        (
            {"fault": "answer-twice"},
            "Sends unsolicited data after a response: no request can reuse the connection.",
        ),
        ({"idle_timeout_s": 0.2}, "Keeps idle connections for "),
    ],
)
def test_how_connections_end_is_the_answer(options: dict[str, Any], sentence: str) -> None:
    with serving(**options) as server:
        done = probed(server)
    assert (done.code, done.err) == (0, "")
    assert said(done).startswith(sentence)


@pytest.mark.parametrize("options", [{"connection_close": True}, {"silent_close_after": 1}])
def test_where_nothing_is_kept_there_is_nothing_to_set(options: dict[str, Any]) -> None:
    with serving(**options) as server:
        done = probed(server)
    for word in ("race window", "What to set", "silent drop", "urllib3"):
        assert word not in done.out


def test_early_hints_are_no_response_and_what_follows_is(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    with serving(fault="interim=103", idle_timeout_s=0.2) as server:
        done = probed(server, "--json", str(file))
    assert said(done).startswith("Keeps idle connections for ")
    (first, *_) = json.loads(file.read_text("utf-8"))["connections"][0]["exchanges"]
    assert (first["interim"], first["status"]) == (103, 200)


@pytest.mark.parametrize(
    ("fault", "kind", "how"),
    [
        ("idle-408=0.2", "408", "then a 408 response and FIN."),
        ("idle-reset=0.2", "rst", "then RST."),
        ("idle-garbage=0.2", "data", "then unsolicited data."),
    ],
)
def test_the_kind_of_an_end_is_told(fault: str, kind: str, how: str, tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    with serving(fault=fault) as server:
        done = probed(server, "--json", str(file))
    assert (done.code, done.err) == (0, "")
    assert how in said(done)
    closings = json.loads(file.read_text("utf-8"))["idle_timeout"]["closings"]
    assert [it["kind"] for it in closings] == [kind]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("never-answer", "no response came. read-timeout (timed out)."),
        ("drip=0.05", "no response came. deadline (timed out)."),
        ("drip-body=0.05", "no response came. deadline (timed out)."),
        ("reset-on-request", "no response came. reset (Connection reset by peer)."),
        ("endless-body", "the body is larger than the 1 MiB that a probe reads."),
    ],
)
def test_where_no_response_comes_that_is_an_error_with_advice(fault: str, sentence: str) -> None:
    with serving(fault=fault) as server:
        done = probed(server, "-t", "0.5s")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"{_ERROR}{sentence}\n")


@pytest.mark.parametrize("fault", ["reset-on-open", "close-on-open"])
def test_a_server_that_leaves_before_a_request_is_an_error_with_advice(fault: str) -> None:
    """How that looks is chance: the request may be under way already."""
    with serving(fault=fault) as server:
        done = probed(server)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"{_ERROR}no response came. ")
    assert len(done.err.splitlines()) == 2  # and what to do


@pytest.mark.parametrize(("more", "code"), [(0, 0), (1, 1)])
def test_a_body_of_a_mebibyte_is_read_and_none_that_is_larger(more: int, code: int) -> None:
    with serving(body_size=2**20 + more, idle_timeout_s=0.1) as server:
        assert probed(server).code == code


@pytest.mark.parametrize("status", [500, 429])
def test_responses_that_are_errors_are_warned_of(status: int) -> None:
    with serving(fault=f"status={status}", idle_timeout_s=0.2) as server:
        done = probed(server)
    assert (done.code, done.err) == (0, "")
    assert "Keeps idle connections for " in done.out
    assert f"with status {status}. Servers may close after errors only" in said(done)


def test_a_redirect_is_told_and_not_followed() -> None:
    with misbehaving(forever()) as elsewhere:
        headers = (("Location", elsewhere.url),)
        with serving(status=302, headers=headers, idle_timeout_s=0.2) as server:
            done = probed(server)
        assert elsewhere.accepts == 0
    assert (done.code, done.err) == (0, "")
    assert "with status 302: this measures the redirecting server" in said(done)


def test_a_server_of_one_connection_at_a_time_leaves_the_others_without_a_response() -> None:
    with serving(one_at_a_time=True) as server:
        done = probed(server, "-t", "0.2s", max_idle_s=1)
    assert (done.code, done.err) == (3, "")
    assert "5 connections of 6 got no response at all (read-timeout)" in said(done)
    assert "one connection at a time" in said(done)
    assert "silent drop not known no reuse was answered" in said(done)


def test_a_coarse_timer_is_no_silent_drop_and_not_several_backends(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    with misbehaving(closing_after(*_COARSE_S)) as server:
        done = probed(server, "--json", str(file), max_idle_s=1.5)
    found = json.loads(file.read_text("utf-8"))
    assert (done.code, done.err) == (0, "")
    assert found["idle_timeout"]["least_s"] == pytest.approx(0.5, abs=0.1)
    assert 0.9 < found["idle_timeout"]["most_s"] < 1.2  # who closes last may be asked again before
    assert not found["idle_timeout"]["backends_differ"]
    assert found["silent_drop"]["died_s"] is None
    assert found["settings"]["idle_limit_s"] < 0.5


def closing_after(*times_s: float) -> Callable[[Peer], None]:
    """A script: answer, and close after a time without a request, each connection its own."""
    left = cycle(times_s)

    def script(peer: Peer) -> None:
        peer.socket.settimeout(next(left))
        while peer.read_request():
            peer.socket.sendall(ANSWER)

    return script


def test_a_plan_is_told_without_a_connection() -> None:
    with misbehaving(forever()) as server:
        done = called("probe", server.url, "--dry-run", "--behaviours", "head,addresses")
        assert server.accepts == 0
    assert (done.code, done.err) == (0, "")
    assert done.lines[-1] == "Nothing was sent (--dry-run)."


def test_all_that_is_said_to_be_sent_is_what_the_server_counted(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    with serving() as server:
        probed(server, "--json", str(file), max_idle_s=1.5)
        counts = server.stats
    found = json.loads(file.read_text("utf-8"))
    assert (found["opened"], found["requests"]) == (counts.accepts, counts.requests)
