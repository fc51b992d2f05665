"""A firewall that forgets idle connections: in a network namespace of the tests' own."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from support.command import COMMAND, TIMEOUT_S, environment
from support.namespace import Namespace, namespace, obstacle

if TYPE_CHECKING:
    from pathlib import Path

_FORGETS_S = 1
"""Whole seconds: that is how Linux counts."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(obstacle() is not None, reason=obstacle() or ""),
    pytest.mark.skipif(shutil.which("iptables") is None, reason="needs iptables"),
]


def forget(inside: Namespace, port: str, answer: str) -> None:
    """Have the firewall accept packets of connections that it knows, and treat others so."""
    known = ["-m", "conntrack", "--ctstate", "NEW,ESTABLISHED", "-j", "ACCEPT"]
    for rule in (known, ["-j", *answer.split()]):
        run(inside, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", port, *rule)
    conntrack = "net.netfilter.nf_conntrack_tcp"
    run(inside, "sysctl", "-q", "-w", f"{conntrack}_loose=0")
    run(inside, "sysctl", "-q", "-w", f"{conntrack}_timeout_established={_FORGETS_S}")


def run(inside: Namespace, *command: str) -> None:
    subprocess.run(inside.command(*command), check=True, capture_output=True)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [("DROP", "read-timeout"), ("REJECT --reject-with tcp-reset", "reset")],
)
def test_a_path_that_forgets_is_named_with_the_bounds_of_its_time(
    tmp_path: Path, answer: str, failure: str
) -> None:
    file = tmp_path / "results.json"
    with namespace() as inside:
        command = inside.command(*COMMAND, "serve", "--port", "0")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment()
        ) as server:
            try:
                assert server.stdout is not None
                url = server.stdout.readline().removeprefix("Serving ").strip()
                forget(inside, url.strip("/.").rpartition(":")[2], answer)
                asked = f"run {url} -n 8 --think-time 0.2s-2.2s -t 0.5 --seed 2 --json {file}"
                subprocess.run(
                    inside.command(*COMMAND, *asked.split()),
                    capture_output=True,
                    timeout=TIMEOUT_S,
                    env=environment(),
                    check=False,
                )
            finally:
                server.terminate()
    results: dict[str, Any] = json.loads(file.read_text())
    arms = results["arms"]
    assert arms["pooled"]["reasons"].keys() == {"first-use", "idle-drop"}
    assert arms["pooled"]["failures"].keys() == {failure}
    assert arms["unpooled"]["failures"] == {}
    (finding,) = (it for it in results["findings"] if it["code"] == "idle-drop")
    assert finding["who"] == "path"
    assert finding["evidence"].get("survived_s", 0.0) <= _FORGETS_S + 1
    assert finding["evidence"]["died_s"] >= _FORGETS_S
