from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import pytest
from server.wire import GET, TIMEOUT_S
from support.command import Finished, called, ended, next_line, started

from keepalive_bench.server import CERTIFICATES, FAULTS

if TYPE_CHECKING:
    import subprocess


def port_of(server: subprocess.Popen[str]) -> int:
    return int(next_line(server).rpartition(":")[2])


def interrupted(server: subprocess.Popen[str]) -> Finished:
    server.send_signal(signal.SIGINT)
    return ended(server)


def answer(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as client:
        client.sendall(GET)
        return client.recv(65536)


def test_every_fault_is_listed_with_its_parameter_and_one_line() -> None:
    listed = called("serve", "--list-faults")
    assert (listed.code, listed.err) == (0, "")
    assert len(listed.lines) == len(FAULTS)
    assert (
        "drip[=SECONDS]              The answer byte by byte, SECONDS apart.  [default: 1.0]"
        in (listed.lines)
    )
    assert listed.out.isascii()
    assert all(line.isprintable() for line in listed.lines)


def test_a_fault_is_acted_out_and_counted() -> None:
    options = ["--fault", "garbage-status=odd", "--fault-connections", "2"]
    with started("serve", *options, "--fault-requests", "1-") as server:
        port = port_of(server)
        assert answer(port).startswith(b"HTTP/1.1 200 OK")
        assert answer(port).startswith(b"odd\r\n")
        output = interrupted(server).out
    assert output == "accepts 2, handshakes 0, requests 2, faults 1\n"


def test_any_reason_and_a_maximum_can_be_given() -> None:
    with started("serve", "--reason", "\x1b[31mFine", "--keep-alive-max", "7") as server:
        head = answer(port_of(server))
    assert head.startswith(b"HTTP/1.1 200 \x1b[31mFine\r\n")
    assert b"\r\nKeep-Alive: max=7\r\n" in head


def test_another_certificate_means_https_and_says_how_to_trust_it() -> None:
    with started("serve", "--certificate", "expired") as server:
        assert next_line(server).startswith("Serving https:")
        errors = interrupted(server).err
    assert f"--cacert {CERTIFICATES['expired']}" in errors


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--fault", "nonsense"], "There is no fault 'nonsense'"),
        (["--fault-requests", "3"], "Name a --fault."),
        (["--fault", "drip", "--fault-connections", "x"], "'x' isn't a list of numbers"),
        (["--fault", "reset-in-handshake"], "needs TLS"),
        (["--certificate", "/nowhere.pem"], "No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(options: list[str], sentence: str) -> None:
    refused = called("serve", *options)
    assert refused.code == 2
    assert sentence in refused.err
