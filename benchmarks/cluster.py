"""What a Dask cluster of many workers takes: connections, bytes and seconds, computed and measured.

Of small clusters, it measures what each worker adds; for a larger one it computes from that what it
will take, and measures it. The table goes into docs/places.md, unless it is a quick run. It needs
the extra `dask` and `ss`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

from document import PLACES, table, write_between_marks
from processes import kab

from keepalive_bench import Run
from keepalive_bench.server import ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FROM, FOR, FAR = (2, 4, 8, 12), 24, 300
QUICK_FROM, QUICK_FOR = (1, 2), 3
REQUESTS, QUICK_REQUESTS = 300, 20
AT_MOST_OFF = {"connections": 0.25, "bytes": 0.25, "ahead_s": 0.5, "after_s": 0.5}
_DASK = str(Path(sys.executable).with_name("dask"))
_AT_MOST_S, _LOOK_S = 600.0, 0.1
_SOCKET = re.compile(r"bytes_(acked|received):(\d+)")


class Taken(NamedTuple):
    """What one call of `kab run --dask` took."""

    connections: float
    """Connections that the scheduler had at once."""
    bytes: float
    """What went through them, both ways; results not counted, which are known."""
    ahead_s: float
    """From the command's start to the first request."""
    after_s: float
    """From the last response to the command's end."""


def main() -> int:
    """Measure and report; 1 when what was computed is off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    is_quick = parser.parse_args().quick
    sizes, larger = (QUICK_FROM, QUICK_FOR) if is_quick else (FROM, FOR)
    requests = QUICK_REQUESTS if is_quick else REQUESTS
    with ServerProcess(ServerSettings()) as server:
        taken = {it: measured(server.url, it, requests) for it in (*sizes, larger)}
    text, is_met = page(taken, sizes, larger)
    print(text)
    if not is_quick:
        write_between_marks("cluster", text, PLACES)
    return 0 if is_met else 1


def measured(url: str, workers: int, requests: int) -> Taken:
    """A cluster of so many workers, and one call of kab's on it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        scheduler = stack.enter_context(cluster(folder, workers))
        idle = stack.enter_context(watched(scheduler))
        began_s = time.time()
        command = (kab(), "run", url, "-n", str(requests), "--quiet")
        options = ("--dask", str(folder / "scheduler.json"), "--dask-workers", str(workers))
        kept = ("--keep-places", str(folder / "kept"))
        subprocess.run(
            (*command, *options, *kept), check=True, stdout=subprocess.DEVNULL, timeout=_AT_MOST_S
        )
        ended_s = time.time()
        seen = idle()
        files = [*(folder / "kept").iterdir()]
        runs = [Run.load(it).run_info for it in files]
        results = 2 * sum(it.stat().st_size for it in files)  # they come in, and go out again
    starts = [datetime.fromisoformat(it.started_at).timestamp() for it in runs]
    last_s = max(start + it.wall_s for start, it in zip(starts, runs, strict=True))
    return Taken(
        connections=max(len(it) for it in seen),
        bytes=sum(_largest(seen).values()) - results,
        ahead_s=min(starts) - began_s,
        after_s=ended_s - last_s,
    )


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[int]:
    """A scheduler with its workers; the number of its process."""
    file, log = folder / "scheduler.json", (folder / "log").open("w")
    with ExitStack() as stack:
        stack.enter_context(log)
        command = [_DASK, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        scheduler = stack.enter_context(
            subprocess.Popen([*command, "--scheduler-file", str(file)], stdout=log, stderr=log)
        )
        stack.callback(scheduler.terminate)
        _until(file.exists)
        for number in range(workers):
            command = [_DASK, "worker", "--scheduler-file", str(file), "--name", f"w{number:03}"]
            options = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
            worker = stack.enter_context(
                subprocess.Popen([*command, *options], stdout=log, stderr=log)
            )
            stack.callback(worker.terminate)
        _until(lambda: (folder / "log").read_text().count("Register worker") >= workers)
        yield scheduler.pid


def _until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _AT_MOST_S
    while not is_so():
        if time.monotonic() > end_s:
            sys.exit("The cluster doesn't start.")
        time.sleep(_LOOK_S)


@contextmanager
def watched(process: int) -> Iterator[Callable[[], list[dict[str, int]]]]:
    """Looks at a process's connections again and again; what it yields ends that.

    Each look has the bytes of each connection so far, both ways, as the system counts them.
    """
    looks: list[dict[str, int]] = [_look(process)]
    is_over = Event()

    def look() -> None:
        while not is_over.wait(_LOOK_S):
            looks.append(_look(process))

    thread = Thread(target=look)
    thread.start()

    def seen() -> list[dict[str, int]]:
        is_over.set()
        thread.join()
        return looks

    try:
        yield seen
    finally:
        seen()


def _look(process: int) -> dict[str, int]:
    found = subprocess.run(
        ("ss", "-tinpOH", "state", "established"), check=True, capture_output=True, text=True
    ).stdout
    return {
        " ".join(line.split()[2:4]): sum(int(number) for _, number in _SOCKET.findall(line))
        for line in found.splitlines()
        if f"pid={process}," in line
    }


def _largest(looks: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """What went over each connection meanwhile."""
    most: dict[str, int] = {}
    for look in looks:
        for name, count in look.items():
            most[name] = max(most.get(name, 0), count)
    before = looks[0]
    return {name: count - before.get(name, 0) for name, count in most.items()}


def page(taken: Mapping[int, Taken], sizes: Sequence[int], larger: int) -> tuple[str, bool]:
    """The table, and what it comes to, in Markdown; whether what was computed is about right."""
    lines = [
        linear_regression(sizes, [getattr(taken[it], name) for it in sizes])
        for name in Taken._fields
    ]

    def computed(workers: int) -> Taken:
        return Taken(*(max(0.0, it.intercept + it.slope * workers) for it in lines))

    rows = [(f"{it} workers, measured", *_cells(taken[it])) for it in (*sizes, larger)]
    rows.insert(-1, (f"{larger} workers, computed", *_cells(computed(larger))))
    rows.append((f"{FAR} workers, computed", *_cells(computed(FAR))))
    off = {
        name: abs(getattr(computed(larger), name) / getattr(taken[larger], name) - 1)
        for name in Taken._fields
    }
    is_met = all(off[name] <= most for name, most in AT_MOST_OFF.items())
    head = ("", "connections to the scheduler", "kB beside results", "s ahead", "s afterwards")
    told = "; ".join(
        f"{100 * off[name]:.0f} % ({100 * most:.0f} %)" for name, most in AT_MOST_OFF.items()
    )
    return (
        f"{table(head, rows)}\nFor {larger} workers, what was computed differs from what was "
        f"measured, column by column, by (at most): {told}. The "
        f"targets are {'met' if is_met else 'missed'}.\n"
    ), is_met


def _cells(taken: Taken) -> tuple[str, ...]:
    return (
        f"{taken.connections:.0f}",
        f"{taken.bytes / 1000:.0f}",
        f"{taken.ahead_s:.1f}",
        f"{taken.after_s:.1f}",
    )


if __name__ == "__main__":
    sys.exit(main())
