from __future__ import annotations

import socket

import pytest
from server.wire import dialled, serving

from keepalive_bench.errors import UsageError


def test_any_free_port_is_taken_and_named() -> None:
    with serving() as one, serving() as another:
        assert one.port != another.port
        assert one.url == f"http://127.0.0.1:{one.port}"


def test_ipv6_loopback_is_served() -> None:
    with serving(host="::1") as server, dialled(server) as wire:
        assert server.url == f"http://[::1]:{server.port}"
        assert wire.ask().status == 200


def test_localhost_is_resolved_to_an_address() -> None:
    with serving(host="localhost") as server, dialled(server) as wire:
        assert server.url in {f"http://127.0.0.1:{server.port}", f"http://[::1]:{server.port}"}
        assert wire.ask().status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::ffff:192.0.2.1"])  # noqa: S104
def test_an_address_that_others_can_reach_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match=f"Other machines could reach '{host}'"):
        serving(host=host).__enter__()


def test_others_are_served_when_that_is_allowed_explicitly() -> None:
    with serving(host="0.0.0.0", allow_remote=True) as server, dialled(server) as wire:  # noqa: S104
        assert wire.ask().status == 200


def test_a_port_in_use_is_refused() -> None:
    with serving() as first, pytest.raises(UsageError, match="Address already in use"):
        serving(port=first.port).__enter__()


def test_the_port_is_free_again_at_once() -> None:
    with serving(close_after=1) as server, dialled(server) as wire:
        wire.ask()
        wire.everything()
    with serving(port=server.port) as again, dialled(again) as wire:
        assert wire.ask().status == 200


def test_a_host_that_does_not_resolve_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Can't serve on 'nowhere\.invalid'"):
        serving(host="nowhere.invalid").__enter__()


def test_a_host_that_is_no_name_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="Can't serve on"):
        serving(host="a" * 64 + ".example").__enter__()


def test_where_the_first_address_cannot_be_had_the_next_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM)
    # An address of the loopback network by ipaddress' account, but of no interface here.
    missing = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 2**16))
    with serving() as taken:
        busy = (*found[0][:4], ("127.0.0.1", taken.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [busy, missing, *found])
        with serving() as server:
            assert server.port != taken.port
