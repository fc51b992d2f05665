"""Logs and pages of Dask's: whoever reads them gets to know no secret of a plan's."""

from __future__ import annotations

import signal
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import pytest
from support.command import Finished, ended, started
from support.dask_cluster import Cluster, customized, until
from support.dask_pages import shown_by

from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
SECRETS = {it: f"{it}/s3kr1t/{it}" for it in ("header", "user", "cookie", "proxy", "query", "file")}
_RAISES = """\
from keepalive_bench.places.on_dask import task
def measure(secret):
    raise ValueError("it fails")
measure.__module__ = task.__name__
task.measure = measure
"""
_CHILDLESS = """\
import sys
if "keepalive_bench.places.on_dask.child" in sys.orig_argv:
    sys.exit(9)
"""
WORKERS = {"measures": "", "killed": "", "raises": _RAISES, "childless": _CHILDLESS}
_ALL_LOGS = {"logging": {"distributed": "debug", "distributed.client": "debug", "bokeh": "debug"}}


class Told(NamedTuple):
    """What was seen of a run with secrets."""

    pages: dict[str, str]
    charts: dict[str, str]
    logs: str
    kab: Finished


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    made = Cluster(tmp_path_factory.mktemp("dask"), draws=True)
    try:
        made.configure(_ALL_LOGS)
        made.start_scheduler()
        for name, code in WORKERS.items():
            made.start_worker(name, env=customized(tmp_path_factory.mktemp(name), code))
        made.joined(len(WORKERS))
        yield observed(made, tmp_path_factory.mktemp("files"))
    finally:
        made.end()


def observed(workers: Cluster, folder: Path) -> Told:
    upload = folder / "upload"
    upload.write_text(SECRETS["file"])
    with Server(ServerSettings()) as proxy:
        at = proxy.url.replace("//", f"//joe:{quote(SECRETS['proxy'], safe='')}@")
        words = (
            *("run", f"http://localhost/?token={SECRETS['query']}", "-x", at),
            *("-H", f"X-Token: Bearer {SECRETS['header']}", "-u", f"joe:{SECRETS['user']}"),
            *("-b", f"id={SECRETS['cookie']}", "-T", f"{upload}"),
            *("--duration", "600s", "--rate", "20/s", "--dask-insecure"),
        )
        with started(*words, "--dask", workers.address) as process:
            until(lambda: proxy.stats.requests > 20, "places measure")
            until(lambda: "it fails" in workers.log("worker raises"), "a task has raised")
            before = shown_by(workers, "measures")
            pages = {f"{name}{it}": page for name, on in before.items() for it, page in on.pages()}
            charts = {
                f"{name}{it}": page for name, on in before.items() for it, page in on.charts()
            }
            workers.worker("killed").kill()
            workers.joined(len(WORKERS) - 1)
            later = shown_by(workers)["scheduler"]
            pages |= {f"scheduler{it} later": page for it, page in later.pages()}
            process.send_signal(signal.SIGINT)
            done = ended(process)
    until(workers.is_idle, "tasks and clients are gone")
    return Told(pages, charts, workers.logs(), done)


def forms(secret: str) -> Iterator[str]:
    """How a secret may be written: as it is, in a URL, and in Base64 behind whatever."""
    yield secret
    yield quote(secret, safe="")
    for before in range(3):
        encoded = b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        yield encoded[(0, 2, 3)[before] : -1]


def test_nothing_tells_a_secret(told: Told) -> None:
    """All in one test: its cluster is costly, and those of a file may be spread over processes."""
    _check_that_all_was_seen(told)
    texts = {**told.pages, **{f"chart {it}": text for it, text in told.charts.items()}}
    texts |= {"logs": told.logs, "kab": told.kab.text}
    found = [
        (where, name)
        for where, text in texts.items()
        for name, secret in SECRETS.items()
        for form in forms(secret)
        if form in text
    ]
    assert found == []


def _check_that_all_was_seen(told: Told) -> None:
    """Logs have what a task was given that raised; pages and charts have tasks; places are lost."""
    assert "Compute Failed" in told.logs
    assert "***" in told.logs
    assert "DEBUG" in told.logs
    tasks = [page for path, page in told.pages.items() if "/info/task/kab-" in path]
    assert any("processing" in it for it in tasks)
    assert any("erred" in it for it in tasks)
    assert "it fails" in told.pages["scheduler/info/main/exceptions.html"]
    assert "kab-" in told.charts["scheduler/graph"]
    assert "kab" in told.charts["scheduler/status"]
    text = " ".join(told.kab.text.split())
    assert "raises is lost. Dask didn't carry it out: ValueError." in text
    assert "killed is lost. Its worker died, or left the cluster." in text
    assert "childless is lost. The process that measured said nothing:" in text
