"""TLS that is refused, by its name and with a remedy of its own."""

from __future__ import annotations

import re
import ssl
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.certificates import client, server_named
from support.misbehaving import ANSWER, Peer, misbehaving
from support.plans import exchange
from support.tls_server import server_context

from keepalive_bench.plan.plan import Plan, Target, Tls
from keepalive_bench.results.failure_causes import ALERT, TLS_ALERTS
from keepalive_bench.results.failure_kinds import advice_on
from keepalive_bench.server import CERTIFICATE, CERTIFICATES, Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from keepalive_bench.results.exchange import Failure

RFC_8446 = {
    "unexpected_message": 10, "bad_record_mac": 20, "record_overflow": 22, "handshake_failure": 40,
    "bad_certificate": 42, "unsupported_certificate": 43, "certificate_revoked": 44,
    "certificate_expired": 45, "certificate_unknown": 46, "illegal_parameter": 47,
    "unknown_ca": 48, "access_denied": 49, "decode_error": 50, "decrypt_error": 51,
    "protocol_version": 70, "insufficient_security": 71, "internal_error": 80,
    "inappropriate_fallback": 86, "missing_extension": 109, "unsupported_extension": 110,
    "unrecognized_name": 112, "bad_certificate_status_response": 113,
    "certificate_required": 116, "no_application_protocol": 120,
}  # fmt: skip
"""Section 6, but for user_canceled, close_notify and unknown_psk_identity."""


def failing(url: str, **options: Any) -> Failure:  # noqa: ANN401  # of any part of a plan
    failure = exchange(url.replace("http:", "https:"), timeout_s=5.0, **options).outcome.failure
    assert failure is not None
    return failure


def alerting(code: int) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        peer.socket.recv(65536)
        peer.socket.sendall(bytes((21, 3, 3, 0, 2, 2, code)))

    return script


@pytest.mark.parametrize("name", RFC_8446)
def test_an_alert_has_the_name_that_rfc_8446_gives_it(name: str) -> None:
    with misbehaving(alerting(RFC_8446[name])) as server:
        failure = failing(server.url)
    assert failure == ("tls-handshake", f"{ALERT}{name}")
    assert "speak TLS" not in advice_on(failure)  # an alert proves it


def test_each_alert_of_the_table_is_one() -> None:
    names = {said.removeprefix(ALERT) for cause in TLS_ALERTS[:-1] for said in cause.said}
    assert names <= {*RFC_8446, "no_certificate"}  # which is of RFC 5246, 7.2


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("unrecognized_name", "--resolve or --connect-to"),
        ("certificate_required", "--cert and --key"),
        ("bad_certificate", "--cert and --key"),
        ("protocol_version", "kab offers TLS 1.2 and 1.3"),
        ("handshake_failure", "--ciphers"),
        ("no_application_protocol", "beside h2"),
        ("decode_error", "inspects TLS"),
    ],
)
def test_an_alert_has_a_remedy_of_its_own(name: str, remedy: str) -> None:
    with misbehaving(alerting(RFC_8446[name])) as server:
        assert remedy in advice_on(failing(server.url))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_server_that_misses_a_certificate_leads_to_cert(version: str, tmp_path: Path) -> None:
    # With TLS 1.3 the client hears of it under its first request, when its handshake is over.
    known = client(tmp_path)
    context = server_context(version)
    context.load_verify_locations(known.cert)
    context.verify_mode = ssl.CERT_REQUIRED

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.socket, server_side=True) as secured:
            while secured.recv(65536):
                secured.sendall(ANSWER)

    with misbehaving(script) as server:
        failure = failing(server.url, ca_file=CERTIFICATE)
        shown = exchange(
            server.url.replace("http:", "https:"), ca_file=CERTIFICATE, cert_file=known.both
        )
    assert failure.kind == "tls-handshake"
    assert "--cert" in advice_on(failure)
    assert shown.outcome.status == 200


def test_a_server_of_no_common_version_says_so() -> None:
    with serving(tls=True, tls_min="1.3") as server:
        failure = failing(server.url, maximum="1.2")
    assert failure == ("tls-handshake", f"{ALERT}protocol_version")
    limited = Plan(Target("https://a.test/"), tls=Tls(maximum="1.2"))
    assert "--tls-min and --tls-max limit what kab offers" in advice_on(failure, limited)


def test_a_server_of_old_versions_only_is_not_led_to_options_that_have_none() -> None:
    context = server_context("1.2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are old
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")

    def script(peer: Peer) -> None:
        with suppress(ssl.SSLError):
            context.wrap_socket(peer.socket, server_side=True)

    with misbehaving(script) as server:
        failure = failing(server.url)
    assert failure == ("tls-handshake", f"{ALERT}protocol_version")
    advice = advice_on(failure, Plan(Target("https://a.test/")))
    assert "enable one of them on the server" in advice
    assert "--tls" not in advice


def test_a_server_that_knows_other_names_only_says_so() -> None:
    context = server_context("1.3")

    def refuse(_socket: object, name: str | None, _context: object) -> int | None:
        return None if name == "known.test" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = refuse

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.socket, server_side=True) as secured:
            while secured.recv(65536):
                secured.sendall(ANSWER)

    with misbehaving(script) as server:
        assert failing(server.url).message == f"{ALERT}unrecognized_name"


@pytest.mark.parametrize(
    ("certificate", "trusted", "meaning", "cured"),
    [
        ("expired", "expired", "isn't valid at this time", False),
        ("wrong-host", "wrong-host", "is for other names", False),
        ("untrusted", "loopback", "The certificate is self-signed", True),
    ],
)
def test_what_cacert_does_not_cure_does_not_lead_there(
    certificate: str, trusted: str, meaning: str, *, cured: bool
) -> None:
    with serving(tls=True, certificate=CERTIFICATES[certificate]) as server:
        failure = failing(server.url, ca_file=CERTIFICATES[trusted])
        again = exchange(server.url, ca_file=CERTIFICATES[certificate]).outcome
    assert failure.kind == "tls-untrusted"
    assert meaning in advice_on(failure)
    assert ("--cacert" in advice_on(failure)) is cured is (again.failure is None)


@pytest.mark.parametrize("kind", ["pooled", "resumed"])
def test_a_certificate_for_other_names_says_for_which(kind: str, tmp_path: Path) -> None:
    made = server_named(tmp_path, "other.test")
    with serving(tls=True, certificate=made, key=made) as server:
        failure = failing(server.url, kind=kind, ca_file=made)
    assert re.search(r"not valid for '127.0.0.1', but for other\.test", failure.message)
    assert "--resolve" in advice_on(failure)


@pytest.mark.parametrize(
    ("extension", "meaning"),
    [
        ("keyUsage=digitalSignature", "Only the names in its subjectAltName count"),
        ("extendedKeyUsage=clientAuth", "isn't meant for servers"),
    ],
)
def test_a_certificate_that_no_client_takes_says_why(
    extension: str, meaning: str, tmp_path: Path
) -> None:
    made = server_named(tmp_path, "127.0.0.1", extension)
    with serving(tls=True, certificate=made, key=made) as server:
        failure = failing(server.url, ca_file=made)
    assert failure.kind == "tls-untrusted"
    assert meaning in advice_on(failure)
    assert "--resolve" not in advice_on(failure)


def test_a_broken_record_in_an_answer_has_a_name() -> None:
    with serving(tls=True, fault=Fault("broken-record")) as server:
        outcome = exchange(server.url, verify=False).outcome
    assert outcome.failure is not None
    assert outcome.failure.kind == "tls-broken"
    assert outcome.failure.message.startswith("512 of 1,024 bytes came, then: ")
    assert outcome.body_bytes == 512


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_handshake_that_is_changed_on_the_way_proves_that_the_port_speaks_tls(
    version: str,
) -> None:
    context = server_context(version)

    def script(peer: Peer) -> None:
        read, written = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(read, written, server_side=True)
        read.write(peer.socket.recv(65536))
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
        peer.socket.sendall(written.read()[:-1] + b"\xff")  # of the last record
        peer.socket.recv(65536)

    with misbehaving(script) as server:
        failure = failing(server.url, verify=False)
    assert failure.kind == "tls-handshake"
    assert "may change the data" in advice_on(failure)


def test_a_broken_record_in_place_of_an_answer_has_one_too() -> None:
    context = server_context("1.2")

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.socket, server_side=True) as secured:
            secured.recv(65536)
            ssl.socket.send(secured, b"\x17\x03\x03\x00\x20" + bytes(32))  # type: ignore[attr-defined]
            secured.recv(65536)

    with misbehaving(script) as server:
        assert failing(server.url, verify=False).kind == "tls-broken"
