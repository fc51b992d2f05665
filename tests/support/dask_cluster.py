"""A Dask cluster on this machine: a scheduler and its workers, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

from distributed import Client, Worker
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_AGAIN_S = 0.02
_OWN_CLIENTS = 1
"""Dask counts one for tasks that nobody waits for."""
_READ = "import sys, urllib.request as it; print(it.urlopen(sys.argv[1]).read().decode())"
LOCALHOST = "127.0.0.1"
ENDLESS = ("--duration", "600s", "--think-time", "20ms")
"""Of a run that is only waited for: it leaves the machine to others."""
_GOODBYE_S = 5.0
"""How long processes may take to end by themselves, so that what they ran is counted."""


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so that nobody tells of."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"it never is so that {what}"
        time.sleep(_AGAIN_S)


def customized(folder: Path, code: str) -> dict[str, str]:
    """The environment of a process that runs some code first, and so does all that it starts."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder)}


class Cluster:
    """Its processes, their logs in a folder, and what the scheduler tells by HTTP."""

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str] | None = None,
        *,
        host: str = LOCALHOST,
        inside: Sequence[str] = (),
        draws: bool = False,
    ) -> None:
        """Start nothing yet.

        Args:
            folder: for all that it writes.
            env: variables of all its processes.
            host: that the scheduler listens at.
            inside: what goes before commands that are to run where the scheduler does.
            draws: whether its pages have charts, where bokeh is installed, which takes its time.
        """
        self.folder, self._host, self._inside = folder, host, inside
        self._pages = () if draws else ("--no-dashboard",)
        self.file = folder / "scheduler.json"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        config = folder / "config"
        config.mkdir()
        self.env = {**os.environ, "DASK_CONFIG": str(config), **(env or {})}

    def start_scheduler(self, *words: str) -> None:
        """Start it on a free port, and wait for its file."""
        pages = ("--dashboard-address", f"{self._host}:0", *self._pages)
        where = ("--host", self._host, "--port", "0", *pages)
        self._start("scheduler", self._inside, *where, "--scheduler-file", str(self.file), *words)
        until(self._is_described, "the scheduler has written its file")

    def _is_described(self) -> bool:
        with suppress(OSError, ValueError):
            return "dashboard" in json.loads(self.file.read_text())["services"]
        return False

    def start_worker(
        self,
        name: str,
        *words: str,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start one that is called so; `joined` waits for it."""
        called = () if name.startswith("-") else ("--name", name)
        folder = self.folder / f"of{name}"
        self._start(
            f"worker {name}",
            prefix,
            *("--scheduler-file", str(self.file), "--local-directory", str(folder), *called),
            *("--nthreads", "1", "--no-nanny", "--dashboard-address", f"{LOCALHOST}:0"),
            *(*self._pages, *words),
            env=env,
        )

    def joined(self, count: int) -> None:
        """Wait until so many workers are there."""
        until(lambda: self.told("/json/counts.json")["workers"] == count, f"{count} are there")

    def _start(
        self, name: str, prefix: Sequence[str], *words: str, env: Mapping[str, str] | None = None
    ) -> None:
        role = name.partition(" ")[0]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [*prefix, sys.executable, "-m", "dask", role, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self.env, **(env or {})},
                cwd=self.folder,
            )

    @property
    def address(self) -> str:
        return f"{json.loads(self.file.read_text())['address']}"

    def configure(self, settings: Mapping[str, object]) -> None:
        """Set what Dask is to do in processes that are started from now on."""
        (self.folder / "config" / "set.json").write_text(json.dumps(settings))

    @property
    def dashboard(self) -> str:
        """The URL of the scheduler's pages."""
        port = json.loads(self.file.read_text())["services"]["dashboard"]
        return f"http://{self._host}:{port}"

    def told(self, path: str) -> dict[str, int]:
        """What the scheduler tells of itself, as JSON."""
        told: dict[str, int] = json.loads(self.page(path) or "{}")
        return {"workers": -1, "tasks": -1, "clients": -1, **told}

    def page(self, path: str) -> str:
        """A page of the scheduler's; nothing where it doesn't answer."""
        command = [*self._inside, sys.executable, "-c", _READ, f"{self.dashboard}{path}"]
        if self._inside:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return done.stdout
        with suppress(URLError, ConnectionError), urlopen(f"{self.dashboard}{path}") as answer:  # noqa: S310  # our own
            return f"{answer.read().decode(errors='replace')}"
        return ""

    def is_idle(self) -> bool:
        """Whether nobody's task, and no client, is left."""
        told = self.told("/json/counts.json")
        return told["tasks"] == 0 and told["clients"] == _OWN_CLIENTS

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        return self.processes[f"worker {name}"]

    def measuring(self) -> list[str]:
        """The processes that measure for its workers."""
        pids = ",".join(f"{it.pid}" for it in self.processes.values())
        command = ["pgrep", "-P", pids, "-f", "keepalive_bench.places.on_dask.child"]
        return subprocess.run(
            command, capture_output=True, text=True, check=False
        ).stdout.splitlines()

    def given(self, name: str) -> list[str]:
        """The tasks that a worker ever had, by its own record."""

        def recorded(dask_worker: Worker) -> list[str]:
            return [f"{it[0]}" for it in dask_worker.state.log if it[1] == "compute-task"]

        told = self.asked(recorded)
        ours: list[str] = told[name]
        return ours

    def asked(self, call: Callable[..., Any]) -> dict[str, Any]:
        """What a function returns in each worker, by the worker's name."""

        def named(dask_worker: Worker) -> tuple[str, Any]:
            return f"{dask_worker.name}", call(dask_worker)

        with Client(self.address, set_as_default=False) as client:
            return dict(client.run(named).values())

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def logs(self) -> str:
        return "\n".join(it.read_text() for it in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GOODBYE_S)
            process.kill()
            process.wait()


@contextmanager
def cluster(folder: Path, *names: str, env: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A scheduler, and a worker of each name; all are gone with the block."""
    made = Cluster(folder, env)
    try:
        made.start_scheduler()
        for name in names:
            made.start_worker(name)
        made.joined(len(names))
        yield made
    finally:
        made.end()
