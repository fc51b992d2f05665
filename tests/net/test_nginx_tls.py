"""kab's side of TLS against a real nginx: certificates of its own, versions, ciphers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.certificates import PASSPHRASE, Client, client
from support.nginx import Nginx, nginx
from support.plans import exchange, failure, plan, run

from keepalive_bench import benchmark
from keepalive_bench.errors import UsageError
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.results.exchange import Outcome

pytestmark = pytest.mark.slow
kinds = pytest.mark.parametrize("kind", ["pooled", "unpooled", "naive"])
_AES_128, _AES_256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Client:
    folder = tmp_path_factory.mktemp("certificates")
    folder.chmod(0o755)
    return client(folder)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return client(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def asking(known: Client, request: pytest.FixtureRequest) -> Iterator[Nginx]:
    """It answers 400 to whoever shows no certificate, or another one than the known client's."""
    directives = (
        f"ssl_client_certificate {known.cert}; ssl_verify_client on; "
        f"ssl_protocols TLSv{request.param};"
    )
    with nginx(directives) as server:
        yield server


def asked(server: Nginx, kind: str = "pooled", **options: Any) -> Outcome:  # noqa: ANN401
    return exchange(server.https, kind, ca_file=CERTIFICATE, **options).outcome


@kinds
def test_a_client_with_the_right_certificate_is_let_in(
    asking: Nginx, known: Client, kind: str
) -> None:
    for own in (
        {"cert_file": known.cert, "key_file": known.key},
        {"cert_file": known.both},
        {"cert_file": known.cert, "key_file": known.locked, "key_password": PASSPHRASE},
    ):
        outcome = asked(asking, kind, **own)
        assert (outcome.status, outcome.failure) == (200, None)


@kinds
def test_a_client_without_or_with_another_certificate_is_not(
    asking: Nginx, stranger: Client, kind: str
) -> None:
    assert asked(asking, kind).status == 400
    assert asked(asking, kind, cert_file=stranger.cert, key_file=stranger.key).status == 400


def test_the_connections_of_a_client_with_a_certificate_are_counted_alike(
    asking: Nginx, known: Client
) -> None:
    before = asking.accepts()
    measured = run(asking.https, ca_file=CERTIFICATE, cert_file=known.both, requests=10)
    warmups = sum(it.connections for it in measured.warmup.values())
    assert asking.accepts() - before == len(measured.connections) + warmups == 13


@pytest.mark.parametrize("password", [None, "", "wr0ng"])
def test_a_key_that_cannot_be_opened_is_refused_before_anything_is_sent(
    asking: Nginx, known: Client, password: str | None
) -> None:
    before = asking.accepts()
    wanted = plan(asking.https, cert_file=known.cert, key_file=known.locked, key_password=password)
    with pytest.raises(UsageError, match=r"--key-password-file"):
        benchmark(wanted)
    assert asking.accepts() == before


def test_a_key_of_another_certificate_is_refused(known: Client, stranger: Client) -> None:
    with pytest.raises(UsageError, match="key values mismatch"):
        run("https://127.0.0.1:1/", cert_file=known.cert, key_file=stranger.key)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_version_that_both_can_speak_is_spoken(version: str) -> None:
    with nginx("ssl_protocols TLSv1.2 TLSv1.3;") as server:
        only = run(server.https, ca_file=CERTIFICATE, minimum=version, maximum=version, requests=2)
    assert {it.tls_version for it in only.connections} == {f"TLSv{version}"}


@kinds
@pytest.mark.parametrize(
    ("served", "wanted"), [("1.2", {"minimum": "1.3"}), ("1.3", {"maximum": "1.2"})]
)
def test_a_version_that_the_server_does_not_speak_fails_in_the_handshake(
    kind: str, served: str, wanted: dict[str, str]
) -> None:
    with nginx(f"ssl_protocols TLSv{served};") as server:
        before = server.accepts()
        assert failure(server.https, kind, ca_file=CERTIFICATE, **wanted) == "tls-handshake"
        assert server.accepts() - before == 1


def test_the_cipher_that_was_asked_for_is_used() -> None:
    with nginx("ssl_protocols TLSv1.2;") as server:
        for cipher in (_AES_128, _AES_256):
            measured = run(server.https, ca_file=CERTIFICATE, ciphers=cipher, requests=2)
            assert {it.cipher for it in measured.connections} == {cipher}


def test_no_common_cipher_fails_in_the_handshake() -> None:
    with nginx(f"ssl_protocols TLSv1.2; ssl_ciphers {_AES_256};") as server:
        kind = failure(server.https, ca_file=CERTIFICATE, ciphers=_AES_128)
    assert kind == "tls-handshake"


def test_ciphers_that_nobody_knows_are_refused() -> None:
    with pytest.raises(UsageError, match="no cipher in 'nonsense'"):
        run("https://127.0.0.1:1/", ciphers="nonsense")
