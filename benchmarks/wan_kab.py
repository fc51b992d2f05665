"""kab itself on a link: its command, run in a namespace, and the medians in its results."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from processes import kab
from wan import SERVER_ADDRESS
from wan_figures import Measured

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from pathlib import Path

    from link import Link
    from wan import Namespace, Wan
    from wan_server import Endpoint

_HOST, _LOOPBACK = "localhost", "127.0.0.1"
"""Whom the shipped certificate is for, wherever it is; and where it is when there is no link."""
_ARMS, _TLS_ARMS = ("pooled", "unpooled"), ("pooled", "resumed", "unpooled")


class Task(NamedTuple):
    """What all runs of one benchmark have in common."""

    requests: int
    seed: int
    folder: Path
    """Where the results files go."""


def measured(task: Task, endpoint: Endpoint, link: Link, ends: Wan) -> Measured:
    """Run kab over the link, and on the server's own loopback: there, handshakes cost time only."""
    name = f"{endpoint.name.lower().replace(' ', '-')}-{1000 * link.rtt_s:g}ms"
    results = _run(task, name, endpoint, ends.client, SERVER_ADDRESS)
    near = _run(task, f"{name}-loopback", endpoint, ends.server, _LOOPBACK)
    arms = results["arms"]
    return Measured(
        endpoint=endpoint,
        link=link,
        latencies_s={arm: summary["latency_s"]["p50"] for arm, summary in arms.items()},
        waits_s={arm: _phase(results, arm, "wait") for arm in arms},
        connect_s=_phase(results, "unpooled", "connect"),
        tls_s=_phase(results, "unpooled", "tls") if endpoint.tls else None,
        own_tls_s=_phase(near, "unpooled", "tls") if endpoint.tls else None,
    )


def _run(
    task: Task, name: str, endpoint: Endpoint, inside: Namespace, address: str
) -> dict[str, Any]:
    """Run `kab run` in a namespace, against nginx at an address; what its results file says."""
    task.folder.mkdir(parents=True, exist_ok=True)
    file = task.folder / f"{name}.json"
    options = ["--requests", str(task.requests), "--seed", str(task.seed), "--json", str(file)]
    options += [word for arm in _arms(endpoint) for word in ("--arm", arm)]
    options += ["--resolve", f"{_HOST}:{endpoint.port}:{address}"]
    if endpoint.tls:
        options += ["--cacert", str(CERTIFICATE)]
    command = inside.command(kab(), "run", endpoint.url(_HOST), *options)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"kab failed ({name}): {done.stderr or done.stdout}")
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return results


def _arms(endpoint: Endpoint) -> tuple[str, ...]:
    return _TLS_ARMS if endpoint.tls else _ARMS


def _phase(results: dict[str, Any], arm: str, name: str) -> float:
    median: float = results["arms"][arm]["phases_s"][name]["when_happened"]["p50"]
    return median
