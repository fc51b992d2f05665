"""A name that gets another address in the middle of a run, as its look-ups tell."""

from __future__ import annotations

import socket
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from support.plans import run
from support.python_server import python_server
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Phases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench import Run
    from keepalive_bench.analysis import Finding

OLD, NEW = "127.0.0.1", "127.0.0.2"
LOOKED_UP = Phases(dns=0.001, connect=0.001)


@pytest.fixture
def port() -> Iterator[int]:
    """A server at all addresses of loopback."""
    with python_server(host="0.0.0.0") as number:  # noqa: S104  # for a moment
        yield number


def resolving(monkeypatch: pytest.MonkeyPatch, address: Callable[[int], str]) -> None:
    """Have each look-up of `moving.test` give the address of its number."""
    numbers, real = count(), socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        name = address(next(numbers)) if host == b"moving.test" else host
        return real(name, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def found(measured: Run) -> list[Finding]:
    return [it for it in analyse(measured).findings if it.code == "old-address"]


def test_a_kept_connection_that_stays_is_told(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    resolving(monkeypatch, lambda number: OLD if number < 16 else NEW)
    (finding,) = found(run(f"http://moving.test:{port}/", requests=30, warmup=0))
    assert finding.severity == "warning"
    # One look-up of the pooled arm's, and one for each request of the other one.
    assert finding.evidence["lookups"] == 15
    assert (finding.evidence["arm"], finding.evidence["address"]) == ("pooled", f"{OLD}:{port}")
    assert 14 <= int(finding.evidence["count"]) <= 16
    assert f"had changed to {NEW}:{port} " in finding.text


def test_addresses_in_turns_are_no_change(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    resolving(monkeypatch, lambda number: (OLD, NEW)[number % 2])
    assert not found(run(f"http://moving.test:{port}/", requests=30, warmup=0))


def test_an_arm_that_follows_has_nothing_to_be_told() -> None:
    script = Script("pooled", "unpooled", requests=40)
    for number in range(40):
        peer = f"{OLD if number < 20 else NEW}:80"
        for arm in ("pooled", "unpooled"):
            script.send(arm, 0.01, on=script.open(arm, peer=peer), phases=LOOKED_UP)
    assert not found(script.run())


def test_an_address_that_does_not_answer_any_more_is_another_finding() -> None:
    script = Script("pooled", "unpooled", requests=40)
    row = script.open("pooled", peer=f"{OLD}:80")
    for number in range(40):
        script.send("pooled", 0.01, on=row, phases=Phases() if number else LOOKED_UP)
        told: dict[str, Any] = (
            {} if number < 20 else {"failed": f"{OLD}:80: timed out", "lost": 0.1}
        )
        new = script.open("unpooled", peer=f"{OLD if number < 20 else NEW}:80", **told)
        script.send("unpooled", 0.01, on=new, phases=LOOKED_UP)
    assert not found(script.run())
