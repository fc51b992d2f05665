from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from server.wire import TIMEOUT_S, serving, settings

from keepalive_bench.errors import UsageError
from keepalive_bench.server import CERTIFICATE, CERTIFICATES, Server, ServerProcess
from keepalive_bench.server.settings import KEY

if TYPE_CHECKING:
    from pathlib import Path

LOCKED_KEY = b"""\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj9c1/Z0T+DEgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEHWbi168h+dhHFvgZ0Q6q+IEgZC+
1tZOLc008tke/uRqmQHIdCZSad0GkBAE9osMzOlHoJZUsVuGo0mZmQJl/zskUsYR
Zzl4YLuTQkjMswxl/hd2zhSKvMCpToV3noy23zCNhYt1kKorYfn9WoQ9tgfmqwgq
rd5xJUjcHNNQUA1Sj6DBo26q6cYYyXRqdmSzFcIT3mjp1Fuuv253Vw43BPzu4t4=
-----END ENCRYPTED PRIVATE KEY-----
"""  # loopback.key, with a password


def problem(server: Server, trusted: Path) -> str | None:
    """What the strictest check has to say about the server's certificate."""
    context = ssl.create_default_context(cafile=str(trusted))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
        try:
            context.wrap_socket(plain, server_hostname="127.0.0.1").close()
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
    return None


@pytest.mark.parametrize(
    ("name", "trusted", "found"),
    [
        ("loopback", "loopback", None),
        ("wrong-host", "wrong-host", "mismatch, certificate is not valid for '127.0.0.1'"),
        ("expired", "expired", "certificate has expired"),
        ("untrusted", "loopback", "self-signed certificate"),
        ("untrusted", "untrusted", None),
    ],
)
def test_a_bad_certificate_has_one_thing_wrong_with_it(
    name: str, trusted: str, found: str | None
) -> None:
    with serving(tls=True, certificate=CERTIFICATES[name]) as server:
        said = problem(server, CERTIFICATES[trusted])
    if found is None:
        assert said is None
    else:
        assert found in (said or "").replace("self signed", "self-signed")


def test_every_certificate_says_that_its_key_is_public() -> None:
    decode = ssl._ssl._test_decode_cert  # type: ignore[attr-defined]  # the only reader there is
    subjects = [str(decode(str(path))["subject"]) for path in CERTIFICATES.values()]
    assert all("this key is public" in subject for subject in subjects)


def test_a_certificate_of_ones_own_can_be_given_with_its_key_or_without(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(CERTIFICATE.read_bytes() + KEY.read_bytes())
    for options in ({"certificate": both}, {"certificate": CERTIFICATE, "key": KEY}):
        with serving(tls=True, **options) as server:
            assert problem(server, CERTIFICATE) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "isn't a plain PEM file"),
        (CERTIFICATE.read_bytes(), "isn't a plain PEM file"),
        (CERTIFICATE.read_bytes() + LOCKED_KEY, "isn't a plain PEM file"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "odd.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"certificate .*odd\.pem .* can't be used: .*{reason}"):
        serving(tls=True, certificate=path).__enter__()


def test_a_key_of_another_certificate_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be used"):
        serving(tls=True, key=tmp_path / "missing.key").__enter__()


def test_a_server_process_tells_its_counts_whatever_its_certificate() -> None:
    expired = CERTIFICATES["expired"]
    with ServerProcess(settings(tls=True, certificate=expired)) as server:
        assert server.certificate == expired
        assert server.stats().handshakes == 1
