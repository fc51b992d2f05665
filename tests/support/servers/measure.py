"""Runs kab against a server of the table, and notes what the server and the kernel saw."""

from __future__ import annotations

import platform
import re
import subprocess
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.daemon import program
from support.plans import plan
from support.servers.place import place

from keepalive_bench import Arm, analyse, benchmark
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from support.servers.table import Case

    from keepalive_bench import Exchange
    from keepalive_bench.analysis.arm_summary import ArmSummary

_SLACK_S = 10.0
"""Servers that look for idle connections now and then close them that much later, at most."""
_PROGRAMS = {"nginx": ("nginx", "-v"), "HAProxy": ("haproxy", "-v"), "Node": ("node", "--version")}
_ESTABLISHED = "01"
_REMOTE, _STATE = 2, 3


class Rest(NamedTuple):
    """A connection left idle. Times in seconds."""

    latency_s: float
    """Of the request before. Somewhere in it the server began to count: a body that Nagle's
    algorithm holds back is written long before it is received."""
    open_s: float
    """How long the kernel then still showed it as open."""


@dataclass(frozen=True)
class Measured:
    """What kab found, and what others saw."""

    arm: ArmSummary
    seen: list[int]
    """How many requests each connection carried, by the server's own notes."""
    rest: Rest | None
    """How the connection fared that was left idle, where one was."""

    @property
    def reason(self) -> str:
        """The reason for the connections after the first: one that all of them have."""
        (code,) = {reason.code for row, reason in self.arm.reasons.items() if row}
        return code


def measure(case: Case) -> Measured:
    """Send the case's requests one by one, and wait once where its server closes what is idle."""
    rests: list[Rest] = []
    with place() as at, case.start(at):

        def rest(exchange: Exchange) -> None:
            if case.idle_s is not None and exchange.index + 1 == case.served[0]:
                open_s = _until_closed(at.port, case.idle_s + _SLACK_S)
                rests.append(Rest(exchange.outcome.latency_s, open_s))

        measured = benchmark(
            plan(
                f"http{'s' if case.tls else ''}://127.0.0.1:{at.port}/",
                arms=(Arm("pooled"),),
                requests=sum(case.served),
                warmup=0,
                timeout_s=20,
                ca_file=CERTIFICATE,
            ),
            rest,
        )
        (arm,) = analyse(measured).arms
        assert not arm.failed, arm.failures
        seen = at.requests_per_connection(arm.succeeded)
        return Measured(arm, seen, rests[0] if rests else None)


def _until_closed(port: int, timeout_s: float) -> float:
    """Wait until the kernel has no open connection to a port; how long that took."""
    began = time.monotonic()
    while _is_open(port):
        waited = time.monotonic() - began
        assert waited < timeout_s, f"the server kept an idle connection for {waited:.1f} s"
        time.sleep(0.005)
    return time.monotonic() - began


def _is_open(port: int) -> bool:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(
        row[_STATE] == _ESTABLISHED and row[_REMOTE].endswith(f":{port:04X}") for row in rows
    )


def version_of(server: str) -> str | None:
    """Which version of a server is installed here; `None`: it isn't."""
    if server == "http.server":
        return f"Python {platform.python_version()}"
    if server in _PROGRAMS:
        return _of_program(*_PROGRAMS[server])
    try:
        return metadata.version(server)
    except metadata.PackageNotFoundError:
        return None


def _of_program(name: str, option: str) -> str:
    said = subprocess.run([program(name), option], capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr)
    assert found, f"{name} doesn't tell its version"
    return found.group()
