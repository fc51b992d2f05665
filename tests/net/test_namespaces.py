"""Addresses that are dead, or have a scope: in a network namespace of the tests' own."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.command import COMMAND, TIMEOUT_S, environment
from support.namespace import DEAD, LINK_LOCAL, Namespace, namespace, obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(obstacle() is not None, reason=obstacle() or ""),
]
_BUDGET_S = 0.4
_RESOLVER = """
import socket, struct
asked = set()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
    own.bind(("127.0.0.53", 53))
    print("ready", flush=True)
    while True:
        query, client = own.recvfrom(512)
        end = query.index(b"\\0", 12) + 5
        question = query[12:end]
        (kind,) = struct.unpack_from("!H", question, len(question) - 4)
        found = struct.pack("!HHHLH4B", 0xC00C, 1, 1, 60, 4, 127, 0, 0, 1) if kind == 1 else b""
        if found or question in asked:
            head = struct.pack("!2s5H", query[:2], 0x8180, 1, bool(found), 0, 0)
            own.sendto(head + question + found, client)
        asked.add(question)
"""
"""RFC 1035, section 4.1: every name has the address 127.0.0.1; other questions, such as for AAAA,
get no answer at first, and then an empty one."""
RESOLVER = "127.0.0.53"


@pytest.fixture(scope="module")
def inside() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


@contextmanager
def serving(inside: Namespace, *options: str) -> Iterator[str]:
    """Run the embedded server there; its port."""
    command = inside.command(*COMMAND, "serve", "--port", "0", *options)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            yield line.split()[-1].rstrip("/.").rpartition(":")[2]
        finally:
            server.terminate()


def measured(inside: Namespace, url: str, *options: str) -> dict[str, Any]:
    """Run kab there, and read its results."""
    command = inside.command(*COMMAND, "run", url, "--json", "-", "-n", "4", *options)
    done = subprocess.run(
        command, capture_output=True, timeout=TIMEOUT_S, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def test_a_dead_first_address_is_found_and_the_peer_is_the_one_that_answered(
    inside: Namespace,
) -> None:
    with serving(inside) as port:
        results = measured(
            inside,
            f"http://many.test:{port}/",
            "--resolve",
            f"many.test:{port}:{DEAD},127.0.0.1",
            "--connect-timeout",
            str(_BUDGET_S),
        )
    (finding,) = (it for it in results["findings"] if it["code"] == "failing-address")
    connections = results["connections"]["columns"]
    opened = results["arms"]["pooled"]["connections"] + results["arms"]["unpooled"]["connections"]
    assert (opened, finding["evidence"]["connections"]) == (5, 5)
    assert finding["evidence"]["attempts"] == f"{DEAD}:{port}: timed out"
    # The budget begins with looking up the name, and the first address may use half of what is left
    # of it then: so both together take half of it, and only the two together.
    *_, least, _, _, _, _ = sorted(results["exchanges"]["columns"]["latency_s"])
    assert least >= _BUDGET_S / 2
    connect_s = sum(connections["connect_s"])
    assert connect_s / 2 <= finding["evidence"]["lost_s"] <= connect_s
    assert f"what is left of --connect-timeout {_BUDGET_S}s" in finding["text"]
    assert peers(results) == {f"127.0.0.1:{port}"}


def test_a_living_first_address_is_the_one_used(inside: Namespace) -> None:
    with serving(inside) as port:
        results = measured(
            inside,
            f"http://many.test:{port}/",
            "--resolve",
            f"many.test:{port}:127.0.0.1,{DEAD}",
        )
    assert not [it for it in results["findings"] if it["code"] == "failing-address"]
    assert peers(results) == {f"127.0.0.1:{port}"}


def test_an_ipv6_address_with_a_scope(inside: Namespace, tmp_path: Path) -> None:
    record = tmp_path / "requests"
    host = f"{LINK_LOCAL}%lo"
    with serving(inside, "--host", host, "--allow-remote", "--record", str(record)) as port:
        url, arms = f"http://[{LINK_LOCAL}%25lo]:{port}/", ("pooled", "unpooled", "naive")
        results = measured(inside, url, *(f"--arm={kind}" for kind in arms))
    assert peers(results) == {f"[{host}]:{port}"}
    hosts = {dict(json.loads(line)["headers"])["Host"] for line in record.read_text().splitlines()}
    # RFC 6874, section 4: a scope has no meaning to anybody else, and is not sent.
    assert hosts == {f"[{LINK_LOCAL}]:{port}"}


@contextmanager
def forgetful_resolver(inside: Namespace, options: str = "") -> Iterator[None]:
    """A nameserver that leaves a question unanswered; whoever starts there meanwhile asks it."""
    command = inside.command(sys.executable, "-c", _RESOLVER)
    with (
        inside.resolving(RESOLVER, options),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as resolver,
    ):
        assert resolver.stdout is not None
        assert resolver.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            resolver.terminate()


def test_a_resolver_that_leaves_a_question_unanswered_is_found_and_cured(
    inside: Namespace,
) -> None:
    wanted = ("--arm=pooled", "--warmup=0")
    with serving(inside) as port, forgetful_resolver(inside):
        results = measured(inside, f"http://slow.test:{port}/", *wanted)
        cured = measured(inside, f"http://new.test:{port}/", *wanted, "-4")
    (finding,) = (it for it in results["findings"] if it["code"] == "slow-look-up")
    assert finding["evidence"]["count"] == 1
    # resolv.conf(5): 5 s without an answer.
    assert finding["evidence"]["dns_s"] >= 4.9
    assert "-4" in finding["advice"]
    assert "slow-look-up" not in {it["code"] for it in cured["findings"]}


def test_a_resolver_that_asks_again_sooner_is_found_all_the_same(inside: Namespace) -> None:
    told = "options timeout:1 attempts:3"
    with serving(inside) as port, forgetful_resolver(inside, told):
        results = measured(inside, f"http://slow.test:{port}/", "--arm=pooled", "--warmup=0")
    (finding,) = (it for it in results["findings"] if it["code"] == "slow-look-up")
    assert (finding["evidence"]["count"], finding["evidence"]["wait_s"]) == (1, 1.0)
    assert 0.98 <= finding["evidence"]["dns_s"] < 4


def peers(results: dict[str, Any]) -> set[str]:
    return set(results["connections"]["peers"])
