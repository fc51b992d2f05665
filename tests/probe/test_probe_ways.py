"""The ways to a server: a Unix socket, IPv6, and proxies, whose counts are the truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.command import called
from support.misbehaving import forever, misbehaving
from support.proxies import PASSWORD, USER, Proxies, proxies

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CLOSES_S = 0.3


def found(folder: Path, url: str, *arguments: str) -> dict[str, Any]:
    """What a probe writes; nothing is wrong with it."""
    file = folder / "probe.json"
    words = ("--max-idle", "0.5s", "--quiet", "--json", str(file))
    done = called("probe", url, *words, *arguments)
    assert (done.code, done.err) == (0, "")
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return document


def test_through_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with misbehaving(forever(), path) as server:
        told = found(tmp_path, "http://there.test/", "--unix-socket", path)
        assert told["opened"] == server.accepts == 6
    assert {it["peer"] for it in told["connections"]} == {f"unix:{path}"}


def test_to_an_address_of_ipv6(tmp_path: Path) -> None:
    with serving(host="::1", idle_timeout_s=_CLOSES_S) as server:
        told = found(tmp_path, server.url)
        assert told["opened"] == server.stats.accepts
    assert told["idle_timeout"]["median_s"] == pytest.approx(_CLOSES_S, abs=0.1)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Proxies]:
    with proxies(password=True) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
@pytest.mark.parametrize("tls", [False, True])
def test_through_a_proxy(guarded: Proxies, tmp_path: Path, proxy_scheme: str, *, tls: bool) -> None:
    """Where it forwards, its own limits show, which are longer; in a tunnel, those of the end."""
    before = guarded.accepts()
    proxy = getattr(guarded, proxy_scheme).replace("//", f"//{USER}:{PASSWORD}@")
    with serving(tls=tls, idle_timeout_s=_CLOSES_S) as server:
        told = found(tmp_path, server.url, "-x", proxy, "--cacert", str(CERTIFICATE))
    assert told["opened"] == guarded.accepts() - before
    remark = next(it["text"] for it in told["remarks"] if it["severity"] == "info")
    assert remark.startswith("These limits are those of the proxy")
    if tls:
        assert told["idle_timeout"]["median_s"] == pytest.approx(_CLOSES_S, abs=0.1)
    else:
        assert told["idle_timeout"]["least_s"] is None


@pytest.mark.slow
def test_a_proxy_that_wants_another_password_is_named(guarded: Proxies) -> None:
    proxy = guarded.http.replace("//", f"//{USER}:wrong@")
    with serving(tls=True) as server:
        words = ("-x", proxy, "--cacert", str(CERTIFICATE), "--quiet")
        done = called("probe", server.url, *words)
        assert server.stats.accepts == 0
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: Nothing was measured: no response came. proxy (Tunnel")
    assert "wrong" not in done.err
