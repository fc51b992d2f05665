"""What nginx answers to requests that were meant for another place, and what kab says of it."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest
from support.certificates import client
from support.nginx import nginx
from support.plans import run

from keepalive_bench import analyse
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.analysis import Finding

pytestmark = pytest.mark.slow


def found(url: str, **options: object) -> dict[str, Finding]:
    return {it.code: it for it in analyse(run(url, requests=5, **options)).findings}


def test_a_port_that_expects_https_and_a_client_s_certificate_says_so(tmp_path: Path) -> None:
    known = client(tmp_path)
    tmp_path.chmod(0o755)
    key = CERTIFICATE.with_suffix(".key")
    with nginx(f"ssl_client_certificate {known.cert}; ssl_verify_client on;") as server:
        plain = found(server.https.replace("https", "http"))["https-expected"]
        trusting = {"ca_file": CERTIFICATE}
        bare = found(server.https, **trusting)["certificate-expected"]
        wrong = found(server.https, **trusting, cert_file=CERTIFICATE, key_file=key)
        right = found(server.https, **trusting, cert_file=known.cert, key_file=known.key)
    assert plain.advice.endswith(server.https)
    assert "--cert" in bare.advice
    assert "certificate-expected" in wrong
    assert "certificate-expected" not in right


def test_a_redirect_to_https_is_told_with_its_place() -> None:
    with nginx("return 301 https://$host:8443$request_uri;") as server:
        finding = found(server.http)["redirects-measured"]
    assert "redirects to https" in finding.text
    assert finding.evidence["location"] == "https://127.0.0.1:8443/"


def test_each_error_of_a_gateway_is_told_as_what_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and nobody listens
        late, down = (it.getsockname()[1] for it in (silent, deaf))
        with nginx(
            f"location /late {{ proxy_pass http://127.0.0.1:{late}; proxy_read_timeout 200ms; }}"
            f"location /down {{ proxy_pass http://127.0.0.1:{down}; }}"
            "location /limited { limit_req zone=few; }",
            of_all="limit_req_zone $remote_addr zone=few:32k rate=1r/m;",
        ) as server:
            unreached = found(f"{server.http}down")
            slow = found(f"{server.http}late")["gateway-errors"]
            limited = found(f"{server.http}limited")["gateway-errors"]
    assert "gateway-errors" not in unreached
    assert "That isn't a rate limit" in unreached["no-backend"].text
    assert slow.text.startswith("All 10 responses were 504: ")
    after_ms = re.search(r"in time \(after (2\d\d) ms\)", slow.text)
    assert after_ms
    assert "proxy_read_timeout" in slow.advice
    assert "a limit is reached (limit_req, limit_conn)" in limited.text
    assert "behind" not in limited.advice
