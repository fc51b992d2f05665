"""The context that all connections of a run share."""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING

import pytest
from server.wire import serving
from support.misbehaving import Peer, misbehaving
from support.plans import failure, run

from keepalive_bench import Tls, UsageError
from keepalive_bench.net.tls import build_context
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_of_certificates_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.pem can't be read \(--cacert\): No such file"):
        build_context(Tls(ca_file=tmp_path / "missing.pem"))


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"-----BEGIN CERTIFICATE-----"])
def test_a_file_without_certificates_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "empty.pem"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="contains no certificate in PEM format"):
        build_context(Tls(ca_file=file))


def test_nothing_is_sent_where_the_certificates_cannot_be_used(tmp_path: Path) -> None:
    with serving(tls=True) as server:
        with pytest.raises(UsageError):
            run(server.url, ca_file=tmp_path / "missing.pem")
        assert server.stop().accepts == 0


def test_insecure_takes_any_certificate_without_a_warning_for_each_request() -> None:
    with serving(tls=True) as server, warnings.catch_warnings():
        measured = run(server.url, verify=False, requests=3)
    assert {it.outcome.status for it in measured.exchanges} == {200}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_connection_says_which_version_of_tls_it_has(version: str) -> None:
    with serving(tls=True, tls_min=version, tls_max=version) as server:
        measured = run(server.url, ca_file=CERTIFICATE, requests=3)
    assert {it.tls_version for it in measured.connections} == {f"TLSv{version}"}


@pytest.mark.parametrize("kind", ["pooled", "unpooled"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_whose_certificate_is_missed_fails_in_the_handshake(
    kind: str, version: ssl.TLSVersion
) -> None:
    # With TLS 1.3, it hears of that only when its own side of the handshake is over.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
    context.load_verify_locations(CERTIFICATE)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version

    def script(peer: Peer) -> None:
        context.wrap_socket(peer.socket, server_side=True)

    with misbehaving(script) as server:
        url = server.url.replace("http:", "https:")
        assert failure(url, kind, ca_file=CERTIFICATE) == "tls-handshake"
