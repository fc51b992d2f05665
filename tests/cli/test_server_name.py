"""`--server NAME`: what the user knows of the endpoint, in a run, a stored run and a sweep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support import exports
from support.command import called
from support.runs import Script

from keepalive_bench.results.exchange import Answer, Ending

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.server import ServerProcess


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A run whose connections are closed, as announced, after two answers each."""
    script = Script("pooled", requests=6)
    for began_s in (0.0, 1.0, 2.0):
        row = script.open("pooled", opened_s=began_s)
        for connection in (None, "close"):
            answer = Answer("HTTP/1.1", connection=connection, server="acme")
            script.send("pooled", 0.01, on=row, began_s=began_s, answer=answer)
        script.connections.ended(row, Ending("announced"), began_s + 0.02)
    file = tmp_path / "run.json"
    file.write_text(exports.stored(script.run()))
    return file


def test_an_unknown_name_is_refused_before_anything_is_sent(server: ServerProcess) -> None:
    before = server.stats().accepts
    done = called("run", server.url, "--server", "apche")
    assert done.code == 2
    assert "kab knows no server called 'apche' (--server); did you mean apache?" in done.err
    assert server.stats().accepts == before + 1  # it was asked


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "\x1b[31m"])
def test_what_can_be_no_name_is_refused(name: str, server: ServerProcess) -> None:
    done = called("run", server.url, "--server", name)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.rstrip().isprintable()


def test_a_stored_run_is_advised_on_for_whom_the_user_knows(stored: Path) -> None:
    assert "acme answered, which kab doesn't know" in " ".join(
        called("report", str(stored)).out.split()
    )
    done = called("report", str(stored), "--server", "Apache")
    assert "Apache (--server): see its MaxKeepAliveRequests (default: 100)." in " ".join(
        done.out.split()
    )
    assert called("report", str(stored), "--server", "foo").code == 2


def test_a_stored_name_that_a_later_kab_knows_is_no_reason_to_refuse_the_run(
    stored: Path, tmp_path: Path
) -> None:
    document = json.loads(stored.read_text())
    document["plan"]["server"] = "later"
    (tmp_path / "later.json").write_text(json.dumps(document))
    done = called("report", str(tmp_path / "later.json"))
    assert done.code == 0
    assert "'later' (--server) isn't one that kab knows" in " ".join(done.out.split())


def test_a_sweep_has_it_too(server: ServerProcess) -> None:
    done = called("sweep", server.url, "--maxsize", "1,2", "-n", "4", "--server", "foo")
    assert (done.code, "no server called 'foo'" in done.err) == (2, True)
