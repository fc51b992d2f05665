"""What is said before anything is sent, and what the environment can't change."""

from __future__ import annotations

import re

import pytest
from support.command import called, next_line, started
from support.patience import PATIENCE_S
from support.scripted_server import answering, response

from keepalive_bench.server import ServerProcess, ServerSettings


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-X", "DELETE"], "12 DELETE requests will be sent to"),
        (["-d", "x"], "12 POST requests will be sent to"),
        (["-d", "x", "--warmup", "0"], "10 POST requests will be sent to"),
        (["-d", "x", "--warmup", "0", "--arm", "pooled", "-n", "1"], "1 POST request will be sent"),
    ],
)
def test_the_number_of_requests_is_announced_before_what_may_change_something(
    options: list[str], said: str, server: ServerProcess
) -> None:
    done = called("run", server.url, "-n", "5", *options)
    assert done.code == 0
    assert done.err.startswith(said)
    assert done.err.count("\n") == 1


def test_the_announcement_comes_before_the_first_request() -> None:
    with answering(None) as server, started("run", server.url, "-X", "POST") as process:
        assert process.stderr is not None
        assert "102 POST requests" in process.stderr.readline()
        assert server.held.wait(PATIENCE_S)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_safe_method_is_not_announced(method: str, server: ServerProcess) -> None:
    done = called("run", server.url, "-n", "1", "-X", method, "-v")
    assert (done.code, done.err) == (0, "")
    assert "4 requests in all, warm-ups included" in done.out


def test_an_unchecked_certificate_is_warned_of_once(tls_server: ServerProcess) -> None:
    done = called("run", tls_server.url, "-n", "5", "-k")
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert "not checked" in done.err


def test_there_is_no_certificate_to_warn_of_on_plain_http(server: ServerProcess) -> None:
    done = called("run", server.url, "-n", "1", "-k")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_named_in_the_environment_is_not_used(
    name: str, refusing_url: str, server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, refusing_url)
    done = called("run", server.url, "-n", "1")
    assert (done.code, done.err) == (0, "")


def test_details_say_what_is_added_to_the_request(server: ServerProcess) -> None:
    assert "kab=i" in called("run", server.url, "-n", "1", "-v").out
    assert "kab=i" not in called("run", server.url, "-n", "1").out
    assert "kab=i" not in called("run", server.url, "-n", "1", "-v", "--no-vary").out
    assert "kab=i" not in called("run", server.url, "-n", "1", "-v", "-f", "q=1").out


def test_details_say_which_seed_was_drawn(server: ServerProcess) -> None:
    assert "; seed 42\n" in called("run", server.url, "-n", "2", "-v", "--seed", "42").out
    assert re.search(r"; seed \d+\n", called("run", server.url, "-n", "2", "-v").out)
    assert "; seed " in called("run", server.url, "-n", "2", "-v", "--order", "sequential").out


def test_verbose_lines_come_while_it_runs() -> None:
    with answering(response(), None) as server:
        arguments = ("--arm", "pooled", "--warmup", "0", "--verbose")
        with started("run", server.url, *arguments) as process:
            assert next_line(process).startswith("pooled #0")
            assert server.held.wait(PATIENCE_S)
            assert process.poll() is None


def test_ipv6_loopback_is_measured() -> None:
    with ServerProcess(ServerSettings(host="::1")) as six:
        done = called("run", six.url, "-n", "2", "-6")
    assert done.code == 0
    assert "http://[::1]:" in done.out
