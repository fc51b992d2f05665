"""Connections that are reset as soon as they are accepted, as connection limits do it.

When the RST arrives is a race, so a dialer that waits for it stands in for the unlucky moment.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.command import kab
from support.misbehaving import Peer, forever, misbehaving
from support.plans import exchange, run

from keepalive_bench import Arm, Target, analyse
from keepalive_bench.net import tcp
from keepalive_bench.server import Fault, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from keepalive_bench.net.tcp import Address, Dialled, SocketOption

TIMEOUT_S = 10.0
both_kinds = pytest.mark.parametrize("kind", ["pooled", "unpooled"])


class _SeesResetsInConnect(socket.socket):
    """A socket whose `connect` looks for an error only when the server has acted.

    So does Python's own between the two steps of a connect with a timeout, if it is held up there.
    """

    def connect(self, address: Any) -> None:  # noqa: ANN401  # as socket's own
        super().connect(address)
        select.select([self], [], [], TIMEOUT_S)
        error = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "as the system says")


class _SlowDialer(tcp.Dialer):
    """Hands a connection over only when the server has acted."""

    def connect(
        self, addresses: Sequence[Address], defaults: Sequence[SocketOption], deadline: int
    ) -> Dialled:
        dialled = super().connect(addresses, defaults, deadline)
        select.select([dialled.socket], [], [], TIMEOUT_S)
        return dialled


@pytest.fixture(params=["in connect", "after connect"])
def _held_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connect takes until the server has done something."""
    if request.param == "in connect":
        monkeypatch.setattr(socket, "socket", _SeesResetsInConnect)
    else:
        monkeypatch.setattr(tcp, "Dialer", _SlowDialer)


def at_once(peer: Peer) -> None:
    peer.reset()


@both_kinds
@pytest.mark.usefixtures("_held_up")
def test_it_is_a_failure_of_its_own_on_a_connection_that_counts(kind: str) -> None:
    with misbehaving(at_once) as server:
        measured = run(server.url, arms=(Arm(kind),), requests=3, warmup=0)
        assert server.accepts == len(measured.connections) == 3
    outcomes = [it.outcome for it in measured.exchanges]
    assert {it.failure and it.failure.kind for it in outcomes} == {"reset-before-request"}
    assert [it.connection for it in outcomes] == [0, 1, 2]
    assert all(it.phases.connect is not None for it in outcomes)
    assert [it.ending and it.ending.kind for it in measured.connections] == ["failed"] * 3
    assert {it.peer for it in measured.connections} == {server.address}


@pytest.mark.usefixtures("_held_up")
def test_a_forward_proxy_can_do_it_too() -> None:
    with misbehaving(at_once) as proxy:
        failed = exchange("http://kab.invalid/", proxy=Target(proxy.url)).outcome
        assert proxy.accepts == 1
    assert failed.failure is not None
    assert (failed.failure.kind, failed.connection) == ("reset-before-request", 0)


def test_before_a_tls_handshake_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", _SeesResetsInConnect)
    with misbehaving(at_once) as server:
        url = server.url.replace("http", "https")
        measured = run(url, arms=(Arm("pooled"),), requests=1, warmup=0, verify=False)
        assert server.accepts == len(measured.connections) == 1
    failure = measured.exchanges[0].outcome.failure
    assert failure == ("reset-before-request", "the connection was reset right after it was opened")


def test_the_next_request_finds_its_slot_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "Dialer", _ResetOnce)
    with misbehaving(forever()) as server:
        measured = run(server.url, arms=(Arm("pooled"),), requests=4, warmup=0)
    assert [it.slot for it in measured.connections] == [0, 0]
    (arm,) = analyse(measured).arms
    assert (arm.failed, arm.reopened) == (1, 1)
    assert arm.reason_counts == {"first-use": 1, "after-error": 1}


class _ResetOnce(tcp.Dialer):
    """A dialer whose first connection is reset at once."""

    _has_been = False

    def connect(
        self, addresses: Sequence[Address], defaults: Sequence[SocketOption], deadline: int
    ) -> Dialled:
        if self._has_been:
            return super().connect(addresses, defaults, deadline)
        self._has_been = True
        raise tcp.OpenedAndResetError("127.0.0.1:80")


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.EPIPE])
def test_what_only_a_handshake_can_be_followed_by_counts_as_opened(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Linux, net/ipv4/tcp_input.c, tcp_reset(): EPIPE if a FIN came first.
    class _Fails(socket.socket):
        def connect(self, address: Any) -> None:  # noqa: ANN401  # as socket's own
            super().connect(address)
            raise OSError(number, "as the system says")

    monkeypatch.setattr(socket, "socket", _Fails)
    with misbehaving(forever()) as server:
        measured = run(server.url, arms=(Arm("pooled"),), requests=2, warmup=0)
    assert len(measured.connections) == 2


@contextmanager
def busy_processors() -> Iterator[None]:
    """Others want every processor, so that steps of a connect are held up now and then."""
    endless = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(endless) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("run",),
        ("run", "--order", "sequential"),
        ("run", "-c", "4", "-n", "320"),
        ("run", "-z", "1s", "-n", "100000"),
        ("run", "--rate", "200/s", "-c", "2"),
        ("run", "--processes", "2"),
        ("run", "-x", "{url}"),
        ("sweep", "--maxsize", "1,2", "-c", "2"),
    ],
    ids=" ".join,
)
def test_a_run_on_busy_processors_ends_with_what_it_measured(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    results = tmp_path / "run.json"
    fault = Fault("reset-on-open", connections="*/10")
    with busy_processors(), ServerProcess(ServerSettings(fault=fault)) as server:
        command, *others = [word.format(url=server.url) for word in options]
        url = "http://kab.invalid/" if "-x" in options else server.url
        count = () if "-n" in options else ("-n", "200")
        done = kab(command, url, *others, *count, "--keep-going", "--json", str(results))
        accepted = server.stop().accepts
    assert done.code in {0, 3}
    assert "Traceback" not in done.err
    document = json.loads(results.read_text())
    arms, warmups = document["arms"].values(), document["warmup"].values()
    counted = sum(arm["connections"] for arm in arms)
    assert counted + sum(it["connections"] for it in warmups) == accepted
    kinds = {kind for arm in arms for kind in arm["failures"]}
    assert kinds <= {"reset-before-request", "reset", "closed-before-response"}
    assert document["connections"]["count"] == counted
