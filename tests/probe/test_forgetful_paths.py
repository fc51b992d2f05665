"""Probes along a path that forgets idle flows: a firewall, in namespaces of the test's own."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.command import COMMAND, Finished, ended, environment
from support.forgetful import DROP, RESET, obstacle, path_that_forgets

from keepalive_bench.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

_FORGETS_S, _CLOSES_S = 6, 12
_EXACT = 0.05
_ACKNOWLEDGED_S = 0.1
"""How much later than a response a flow's last packet comes: TCP acknowledges with delay."""
_CLOSING = f"--idle-timeout {_CLOSES_S}s"
_WORLDS = {
    "dropped": (DROP, "", ""),
    "reset": (RESET, "", ""),
    "dropped-before-the-server-closes": (DROP, _CLOSING, ""),
    "reset-before-the-server-closes": (RESET, _CLOSING, ""),
    "kept-open": (DROP, _CLOSING, "--tcp-keepalive-time 2,1"),
}
"""What the firewall does with flows it has forgotten, how the server is set, and the probe."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(obstacle() is not None, reason=obstacle() or ""),
]


class Found(NamedTuple):
    """What a probe found."""

    finished: Finished
    document: dict[str, Any]


def test_a_path_that_forgets_is_found_and_one_that_is_kept_open_is_not(tmp_path: Path) -> None:
    found = probed(tmp_path)  # once: the tests of a file can be spread over several processes
    for name, (_, served, asked) in _WORLDS.items():
        assert not found[name].finished.err, name
        assert "Traceback" not in found[name].finished.text, name
        if served:
            assert_the_servers_timeout_is_told(name, found[name])
        if not asked:
            assert_the_drop_is_told(name, found[name])
    kept = found["kept-open"]
    assert kept.finished.code == ExitCode.MEASURED
    assert kept.document["silent_drop"]["died_s"] is None
    assert kept.document["silent_drop"]["deaths"] == 0
    assert "The path" not in kept.document["sentence"]


def assert_the_drop_is_told(name: str, found: Found) -> None:
    drop = found.document["silent_drop"]
    assert drop["answered_s"] < _FORGETS_S + _ACKNOWLEDGED_S, name
    assert drop["died_s"] >= _FORGETS_S, name
    assert drop["died_s"] - drop["answered_s"] <= _EXACT * drop["died_s"], name
    assert drop["how"] == ("silence" if "dropped" in name else "rst"), name
    assert found.document["settings"]["idle_limit_s"] <= drop["answered_s"], name
    assert found.finished.code == ExitCode.REQUIREMENT_MISSED, name
    (row,) = (it for it in found.finished.lines if it.strip().startswith("silent drop"))
    assert "none" not in row, name
    assert "none was closed or lost" not in found.finished.out, name


def assert_the_servers_timeout_is_told(name: str, found: Found) -> None:
    timeout = found.document["idle_timeout"]
    assert timeout["least_s"] == pytest.approx(_CLOSES_S, rel=0.01), name
    assert timeout["most_s"] == pytest.approx(_CLOSES_S, rel=0.01), name
    assert timeout["connections"] >= 5, name


def probed(folder: Path) -> dict[str, Found]:
    """All at the same time: they only wait."""
    with path_that_forgets(_FORGETS_S) as path:
        running: dict[str, subprocess.Popen[str]] = {}
        for name, (meets, served, asked) in _WORLDS.items():
            url = path.serve(meets, *served.split())
            words = f"probe {url} --max-idle 14s --quiet --json {folder / name}.json {asked}"
            running[name] = subprocess.Popen(
                path.client.command(*COMMAND, *words.split(), "--require", "silent_drop>=350s"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(),
            )
        return {name: _found(it, folder / f"{name}.json") for name, it in running.items()}


def _found(process: subprocess.Popen[str], file: Path) -> Found:
    finished = ended(process)
    return Found(finished, json.loads(file.read_text("utf-8")))
