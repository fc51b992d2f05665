"""`kab serve`: says where, serves, and tells its counts at the end."""

from __future__ import annotations

import signal
import urllib.request

import pytest
from support.command import called, ended, next_line, started


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_serves_and_ends_with_its_counts(
    signal_number: signal.Signals,
) -> None:
    with started("serve", "--body-size", "5") as process:
        said, _, url = next_line(process).strip().rpartition(" ")
        assert said == "Serving"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # loopback
            assert len(answer.read()) == 5
        process.send_signal(signal_number)
        done = ended(process)
    assert (done.code, done.err) == (0, "")
    assert done.out == "accepts 1, handshakes 0, requests 1\n"


def test_it_says_how_to_trust_its_certificate() -> None:
    with started("serve", "--tls") as process:
        url = next_line(process).split()[-1]
        assert process.stderr is not None
        words = process.stderr.readline().split()
        certificate = words[words.index("--cacert") + 1]
        measured = called("run", url, "-n", "1", "--cacert", certificate)
        process.send_signal(signal.SIGTERM)
        done = ended(process)
    assert (measured.code, measured.err) == (0, "")
    assert done.out == "accepts 4, handshakes 4, requests 4\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "loopback"),  # noqa: S104  # refused
        (["--host", "::"], "loopback"),
        (["--host", "192.0.2.1"], "loopback"),
        (["--port", "65536"], "65536"),
        (["--port", "-1"], "-1"),
        (["--body-size", "-1"], ""),
        (["--delay", "-1"], ""),
        (["--status", "99"], "99"),
        (["-H", "Server"], "colon"),
        (["--close-after", "0"], ""),
        (["--record", "/no/such/folder/record"], "/no/such/folder/record"),
        (["--tls-min", "1.3", "--tls-max", "1.2", "--tls"], "1.3"),
        (["--tls-min", "1.3"], "--tls or --certificate"),
        (["--tls-max", "1.2"], "--tls or --certificate"),
        (["--key", __file__], "--tls or --certificate"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments: list[str], said: str) -> None:
    done = called("serve", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_a_refusal_names_the_option_that_allows_it() -> None:
    assert "--allow-remote" in called("serve", "--host", "0.0.0.0").err  # noqa: S104  # refused


def test_a_port_that_is_taken_gets_one_sentence() -> None:
    with started("serve") as process:
        port = next_line(process).strip().rpartition(":")[2]
        done = called("serve", "--port", port)
    assert done.code == 2
    assert port in done.err
    assert done.err.count("\n") == 1
