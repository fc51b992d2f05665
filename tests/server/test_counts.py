from __future__ import annotations

import errno
import json
import os
import socket
from typing import TYPE_CHECKING

import pytest
from server.wire import GET, STATS, dialled, served, serving

from keepalive_bench.errors import UsageError
from keepalive_bench.server import Stats

if TYPE_CHECKING:
    from pathlib import Path


def test_stats_tells_the_counts_as_json() -> None:
    with serving() as server:
        with dialled(server) as wire:
            wire.ask()
        with dialled(server) as wire:
            reply = wire.ask(STATS)
    assert reply.header("content-type") == "application/json"
    assert json.loads(reply.body) == {
        "accepts": 2,
        "handshakes": 0,
        "requests": 2,
        "stats_requests": 1,
        "faults": 0,
    }


def test_stats_is_told_at_once_and_in_full_whatever_the_behaviour() -> None:
    with served(delay_s=600, status=500, chunked=True, headers=(("X-Odd", "1"),)) as (_, wire):
        reply = wire.ask(b"GET /stats?again HTTP/1.1\r\nHost: kab\r\n\r\n")
        assert reply.status == 200
        assert reply.header("x-odd") is None
        assert Stats(**json.loads(reply.body)).stats_requests == 1


def test_a_head_request_for_stats_gets_no_body() -> None:
    with served() as (_, wire):
        length = wire.ask(STATS.replace(b"GET", b"HEAD")).header("content-length")
        assert length == str(len(wire.ask(STATS).body))


@pytest.mark.parametrize("target", [b"/statsx", b"/?/stats"])
def test_other_targets_are_not_stats(target: bytes) -> None:
    with served(body_size=3) as (server, wire):
        assert wire.ask(GET.replace(b"/ ", target + b" ")).body == b"kee"
        assert server.stats.stats_requests == 0


def test_a_connection_without_a_request_is_an_accept() -> None:
    with serving() as server:
        socket.create_connection(("127.0.0.1", server.port)).close()
        with dialled(server) as wire:  # It stands behind the other in the queue.
            wire.ask(STATS)
        assert server.stats.accepts == 2


def test_the_counts_read_as_one_line() -> None:
    stats = Stats(accepts=51, handshakes=0, requests=51, stats_requests=1)
    assert str(stats) == "accepts 51, handshakes 0, requests 51"
    assert str(Stats(accepts=1, faults=2)) == "accepts 1, handshakes 0, requests 0, faults 2"


def test_a_failing_accept_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    original = socket.socket.accept
    failures = iter([errno.EMFILE, errno.ECONNABORTED])

    def accept(listener: socket.socket) -> tuple[socket.socket, object]:
        if (number := next(failures, None)) is not None:
            raise OSError(number, os.strerror(number))
        return original(listener)

    monkeypatch.setattr(socket.socket, "accept", accept)
    with served() as (server, wire):
        assert wire.ask().status == 200
        assert server.stats.accepts == 1


def test_the_record_holds_what_was_on_the_wire(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text('{"an": "older line"}\n')
    with serving(record=path) as server:
        with dialled(server) as wire:
            wire.ask(b"GET /x?a=1 HTTP/1.1\r\nhOST: kab\r\nX: \xe9\r\nX: 2\r\n\r\n")
            framing = b"Transfer-Encoding: chunked\r\n\r\n2\r\n\xff\x00\r\n0\r\n\r\n"
            wire.ask(b"POST / HTTP/1.1\r\nHost: kab\r\n" + framing)
        with dialled(server) as wire:
            wire.ask(STATS)
            lines = path.read_text().splitlines()  # Complete as soon as the answer is there.
    assert [json.loads(line) for line in lines[1:]] == [
        {
            "connection": 1,
            "request": "GET /x?a=1 HTTP/1.1",
            "headers": [["hOST", "kab"], ["X", "é"], ["X", "2"]],
            "body": "",
        },
        {
            "connection": 1,
            "request": "POST / HTTP/1.1",
            "headers": [["Host", "kab"], ["Transfer-Encoding", "chunked"]],
            "body": "\xff\x00",
        },
        {
            "connection": 2,
            "request": "GET /stats HTTP/1.1",
            "headers": [["Host", "kab"]],
            "body": "",
        },
    ]


def test_a_record_that_cannot_be_written_is_refused_before_anything_is_served(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match=r"Can't record to .*: No such file or directory"):
        serving(record=tmp_path / "missing" / "record.jsonl").__enter__()
