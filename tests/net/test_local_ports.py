"""Local ports, in a network namespace that has a hundred of them; the kernel is the truth."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from support.command import COMMAND, TIMEOUT_S, Finished, environment
from support.namespace import Namespace, namespace, obstacle

from keepalive_bench.net.ports import Entry, parsed, port_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_namespace = [
    pytest.mark.slow,
    pytest.mark.skipif(obstacle() is not None, reason=obstacle() or ""),
]
_SETTINGS = "/proc/sys/net/ipv4"
_LOWEST, _PORTS = 40001, 100
_LEFT = 4
"""Ports that kab doesn't count on: of two arms, for one thread and the warm-ups."""
_SERVER_PORT = "18080"
URL = f"http://127.0.0.1:{_SERVER_PORT}/"


@pytest.fixture
def inside() -> Iterator[Namespace]:
    """A namespace of its own for each test: what one leaves in TIME_WAIT is no other's."""
    with namespace() as made:
        told(made, f"{_LOWEST} {_LOWEST + _PORTS - 1}", "ip_local_port_range")
        yield made


def told(inside: Namespace, value: str, setting: str) -> None:
    called(inside, "sh", "-c", f"echo {value} > {_SETTINGS}/{setting}")


def called(inside: Namespace, *command: str) -> str:
    done = subprocess.run(
        inside.command(*command), capture_output=True, timeout=TIMEOUT_S, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(inside: Namespace, *options: str) -> Iterator[list[int]]:
    """Run the embedded server there; how many connections it accepted, when it has ended."""
    accepts: list[int] = []
    with subprocess.Popen(
        inside.command(*COMMAND, "serve", "--port", _SERVER_PORT, *options),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as server:
        assert server.stdout is not None
        server.stdout.readline()
        try:
            yield accepts
        finally:
            server.terminate()
        accepts.append(int(re.findall(r"accepts (\d+)", server.stdout.read())[0]))


def kab(inside: Namespace, *options: str, url: str = URL, name: str = "run") -> Finished:
    done = subprocess.run(
        inside.command(*COMMAND, name, url, "--json", "-", *options),
        capture_output=True,
        timeout=TIMEOUT_S,
        text=True,
        env=environment(),
        check=False,
    )
    return Finished(code=done.returncode, out=done.stdout, err=done.stderr)


def results(done: Finished) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.out)
    return document


def codes(document: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in document["findings"]}


class TestInANamespace:
    pytestmark = needs_namespace

    def test_ports_that_run_out_end_the_run_with_what_was_measured_and_a_finding(
        self, inside: Namespace
    ) -> None:
        told(inside, "0", "tcp_tw_reuse")
        with serving(inside) as accepts:
            done = kab(inside, "-n", "2500")
        document = results(done)
        assert done.code == 3
        assert done.err.startswith(
            "Warning: 2,501 connections in all, 96 free local ports to 127.0.0.1:18080, each held "
            "for up to 66 s: more than 1.4 a second would use them up, and the run would end then. "
            "They last with --think-time 688ms, --requests 95 or several --source-address."
        )
        pooled, unpooled = document["arms"]["pooled"], document["arms"]["unpooled"]
        assert unpooled["failures"] == {"ports-exhausted": 5}
        assert {"ports-exhausted", "requests-not-sent"} <= codes(document)
        # One of them is the pooled arm's, and two were the warm-ups'.
        assert unpooled["succeeded"] == unpooled["connections"] == _PORTS - 3
        assert pooled["succeeded"] == pytest.approx(_PORTS + 2, abs=1)
        assert document["run_info"]["interrupted"] is False
        assert accepts == [_PORTS]

    def test_what_would_last_does(self, inside: Namespace) -> None:
        # On loopback a port is free again after a second (tcp_tw_reuse is 2).
        with serving(inside):
            done = kab(inside, "-n", "250", "--think-time", "11ms")
        assert (done.code, done.err) == (0, "")
        assert results(done)["arms"]["unpooled"]["failures"] == {}

    def test_the_plan_that_fits_is_not_mentioned(self, inside: Namespace) -> None:
        told(inside, "0", "tcp_tw_reuse")
        with serving(inside):
            done = kab(inside, "-n", "90")
        assert (done.code, "ports" in done.err) == (0, False)

    def test_source_addresses_have_ports_each_and_take_them_again_as_soon(
        self, inside: Namespace
    ) -> None:
        sources = [f"--source-address=127.0.0.{last}" for last in (2, 3, 4)]
        with serving(inside):
            done = kab(inside, "-n", "400", "--think-time", "4ms", *sources)
        document = results(done)
        assert (done.code, document["arms"]["unpooled"]["failed"]) == (0, 0)
        assert document["run_info"]["free_ports"] == 3 * (_PORTS - _LEFT)

    def test_a_rate_that_does_not_last_is_refused(self, inside: Namespace) -> None:
        with serving(inside) as accepts:
            done = kab(inside, "-n", "1000", "--rate", "300")
        assert (done.code, done.out, accepts) == (2, "", [0])
        assert "--rate 300/s opens 150 a second. Lower --rate" in done.err

    def test_what_a_small_pool_throws_away_takes_ports_too(self, inside: Namespace) -> None:
        # Of each burst of 8 maxsize 1 keeps one connection: 7 of 8 requests take a port.
        with serving(inside, "--delay", "0.1") as accepts:
            done = kab(inside, "--maxsize", "1,8", "-c", "8", "-n", "160", name="sweep")
        document = results(done)
        assert done.code == 0, done.err
        assert done.err.startswith(
            "Warning: 140 connections in all, 82 free local ports to 127.0.0.1:18080, each held "
            "for up to 1 s: more than 82 a second would use them up, and the run would end then. "
            "They last with --requests 93 or several --source-address."
        )
        arms = document["arms"]
        assert [arm["failed"] for arm in arms.values()] == [0, 0]
        assert arms["1"]["connections"] == 8 + 19 * 7
        assert accepts == [arms["1"]["connections"] + arms["8"]["connections"] + 2]
        assert document["recommendation"]["maxsize"] == 8

    def test_what_counts_is_where_the_connections_lead(self, inside: Namespace) -> None:
        assert json.loads(called(inside, sys.executable, "-c", _WAYS)) == [
            "127.0.0.1:80",
            "[::1]:80",
            "127.0.0.9:3128",
            "127.0.0.5:81",
            "127.0.0.6:80",
            None,  # a Unix socket
            None,  # a name without an address
            None,  # no arm but pooled ones
        ]

    def test_without_an_address_to_connect_from_ports_are_not_what_is_lacking(
        self, inside: Namespace
    ) -> None:
        called(inside, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6")
        done = kab(inside, "-n", "2", url="http://[::1]:9/")
        failures = results(done)["arms"]["unpooled"]["failures"]
        assert (done.code, failures) == (1, {"connect-failed": 2})

    @pytest.mark.parametrize("reuse", [0, 2])
    def test_as_many_connections_succeed_as_ports_are_counted(
        self, inside: Namespace, reuse: int
    ) -> None:
        told(inside, str(reuse), "tcp_tw_reuse")
        told(inside, "40001-40005,40100", "ip_local_reserved_ports")
        counted, succeeded = json.loads(called(inside, sys.executable, "-c", _COUNTING))
        # Of 94: 4 listeners', 10 held, and 7 in TIME_WAIT unless these can be taken again.
        assert succeeded == counted + _LEFT == 94 - 4 - 10 - (7 if reuse == 0 else 0)

    def test_the_kernels_table_is_read_as_ss_reads_it(self, inside: Namespace) -> None:
        ours, theirs = json.loads(called(inside, sys.executable, "-c", _TABLES))
        assert sorted(ours) == sorted(theirs)
        assert {state for *_, state in ours} == {1, 5, 6, 8, 10}


_OPENING = dedent("""
    import json, socket, subprocess, time
    from pathlib import Path

    def listening(address, port, family=socket.AF_INET):
        opened = socket.socket(family)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
        opened.listen(200)
        return opened

    def connected(address, port, family=socket.AF_INET):
        opened = socket.socket(family)
        try:
            opened.connect((address, port))
        except OSError:
            opened.close()
            raise
        return opened
""")
_COUNTING = _OPENING + dedent("""
    from keepalive_bench.plan.plan import Arm, Experiment, Plan, Target
    from keepalive_bench.net.ports import ports_for

    server, other = listening("127.0.0.1", 18080), listening("127.0.0.1", 18081)
    listeners = [listening("127.0.0.7", 40010 + number) for number in range(4)]
    held = [connected("127.0.0.1", 18080) for _ in range(10)]
    elsewhere = [connected("127.0.0.1", 18081) for _ in range(20)]
    for _ in range(7):
        once = connected("127.0.0.1", 18080)
        accepted = [server.accept() for _ in range(11 if _ == 0 else 1)]
        once.close()
        accepted[-1][0].close()
        if _ == 0:
            kept = accepted[:-1]
    time.sleep(1.1)  # what may be taken again after a second may be now
    plan = Plan(Target("http://127.0.0.1:18080/"), experiment=Experiment(requests=1000))
    counted = ports_for(plan).ports
    more = []
    try:
        while True:
            more.append(connected("127.0.0.1", 18080))
    except OSError:
        pass
    print(json.dumps([counted, len(more)]))
""")
_WAYS = dedent("""
    import json
    from pathlib import Path
    from keepalive_bench.plan.plan import Arm, Experiment, Network, Plan, Resolution, Route, Target
    from keepalive_bench.net.ports import ports_for

    def peer(url="http://127.0.0.1/", arms=("pooled", "unpooled"), **network):
        experiment = Experiment(requests=1000, arms=tuple(map(Arm, arms)))
        use = ports_for(Plan(Target(url), network=Network(**network), experiment=experiment))
        return use and use.peer

    print(json.dumps([
        peer(),
        peer("http://[::1]/"),
        peer(proxy=Target("http://127.0.0.9:3128")),
        peer(connect_to=(Route("127.0.0.1", 80, "127.0.0.5", 81),)),
        peer("http://a.test/", resolve=(Resolution("a.test", 80, ("127.0.0.6",)),)),
        peer(unix_socket=Path("/run/some.sock")),
        peer("http://nothing.invalid/"),
        peer(arms=("pooled",)),
    ]))
""")
_TABLES = _OPENING + dedent("""
    from keepalive_bench.net.ports import entries

    STATES = {"LISTEN": 10, "ESTAB": 1, "TIME-WAIT": 6, "CLOSE-WAIT": 8, "FIN-WAIT-2": 5}

    def end(text):
        address, _, port = text.rpartition(":")
        address = address.strip("[]").split("%")[0].removeprefix("::ffff:")
        return [{"*": "::"}.get(address, address), 0 if port == "*" else int(port)]

    four, six = listening("127.0.0.1", 18080), listening("::", 18086, socket.AF_INET6)
    opened = [
        connected("127.0.0.1", 18080),
        connected("::1", 18086, socket.AF_INET6),
        connected("127.0.0.1", 18086),
        connected("::ffff:127.0.0.1", 18080, socket.AF_INET6),
    ]
    accepted = [four.accept()[0], six.accept()[0], six.accept()[0], four.accept()[0]]
    opened[0].close(), accepted[0].close(), opened[1].close()
    rows = [["FIN-WAIT-1"]]
    while {row[0] for row in rows} & {"FIN-WAIT-1", "CLOSING", "LAST-ACK"}:  # on their way
        listed = subprocess.check_output(["ss", "-Htan"], text=True)
        rows = [line.split() for line in listed.splitlines()]
    theirs = [[*end(row[3]), *end(row[4]), STATES[row[0]]] for row in rows]
    print(json.dumps([[list(entry) for entry in entries(Path("/proc"))], theirs]))
""")


def test_the_kernels_table_has_addresses_in_the_machines_order() -> None:
    # Documentation/networking/proc_net_tcp.rst, of a little-endian machine; and one of IPv6.
    rows = (
        "  46: 010310AC:9C4C 030310AC:1770 01 00000150:00000000 01:00000019 00000000  1000 0 5",
        "   1: 00000000000000000000000001000000:A02F 0000000000000000FFFF00000100007F:46A0 06 0:0",
    )
    if sys.byteorder != "little":
        pytest.skip("the rows are a little-endian machine's")
    assert list(parsed(rows)) == [
        Entry("172.16.3.1", 40012, "172.16.3.3", 6000, 1),
        Entry("::1", 41007, "127.0.0.1", 18080, 6),
    ]


def test_the_kernels_settings_are_read(tmp_path: Path) -> None:
    place = tmp_path / "sys/net/ipv4"
    place.mkdir(parents=True)
    written = {
        "ip_local_port_range": "1000\t1009\n",
        "ip_local_reserved_ports": "80,1001-1003,1009\n",
        "tcp_tw_reuse": "2\n",
        "tcp_timestamps": "1\n",
        "tcp_max_tw_buckets": "131072\n",
    }
    for name, text in written.items():
        (place / name).write_text(text)
    read = port_settings(tmp_path)
    assert read.ports == {1000, 1004, 1005, 1006, 1007, 1008}
    assert [read.held_s(it) for it in ("127.1.2.3", "::1", "10.0.0.1")] == [1.0, 1.0, 66.0]
    (place / "tcp_tw_reuse_delay").write_text("500\n")
    assert port_settings(tmp_path).held_s("127.0.0.1") == 0.5
    (place / "tcp_timestamps").write_text("0\n")
    assert port_settings(tmp_path).held_s("127.0.0.1") == 66.0


def test_where_the_kernel_says_nothing_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="ip_local_port_range"):
        port_settings(tmp_path)
