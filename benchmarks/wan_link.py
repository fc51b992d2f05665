"""What kab measures over a real round-trip time, held against physics and beside wrk, hey and ab.

A client and nginx have a network namespace each, and the link between them takes its time. The
tables go into docs/evidence.md, unless it is a quick run or not the usual link.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from document import write_between_marks
from link import Link, be_urgent
from nginx import nginx_program
from wan import SERVER_ADDRESS, obstacle, wan
from wan_figures import checks
from wan_kab import Task, measured
from wan_peers import PEERS, missing, typical_s
from wan_server import ENDPOINTS, nginx_in
from wan_tables import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from wan import Namespace
    from wan_figures import Measured
    from wan_server import Endpoint

USUAL = (Link(rtt_s=0.005), Link(rtt_s=0.02), Link(rtt_s=0.08))
QUICK = (Link(rtt_s=0.02),)
REQUESTS, QUICK_REQUESTS = 50, 15
_MS, _PERCENT = 0.001, 0.01


def main() -> int:
    """Measure and report; 1 when a target is missed, 0 also where it can't run."""
    arguments = _parser().parse_args()
    links = _links(arguments)
    _end_cleanly()
    reason = obstacle() if nginx_program() else "nginx is not installed"
    if reason is not None:
        print(f"This benchmark can't run here: {reason}.")
        return 0
    be_urgent(1)
    peers = () if arguments.quick else _installed_peers()
    began = perf_counter()
    requests = QUICK_REQUESTS if arguments.quick else REQUESTS
    with TemporaryDirectory() as temporary:
        task = Task(requests, arguments.seed, arguments.keep or Path(temporary))
        found = list(_measure_all(task, links, peers))
    checked = [check for one in found for check in checks(one)]
    text = page(found, checked, requests, peers)
    print(f"{text}\n{perf_counter() - began:.0f} s\n")
    for check in checked:
        print(f"{check.where}: {check.target}: {check.told} {check.verdict}")
    if links == USUAL and len(peers) == len(PEERS):
        write_between_marks("wan_link", text)
    return 1 if any(not check.is_met for check in checked) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests, at 20 ms, kab only")
    parser.add_argument("--seed", type=int, default=1, help="of orders, jitter and loss")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave kab's results there")
    parser.add_argument("--rtt", type=float, action="append", metavar="MS", help="repeatable")
    parser.add_argument(
        "--jitter", type=float, default=0.0, metavar="MS", help="at most so much more each way"
    )
    parser.add_argument("--loss", type=float, default=0.0, metavar="PERCENT", help="each way")
    return parser


def _links(arguments: argparse.Namespace) -> tuple[Link, ...]:
    rtts = [ms * _MS for ms in arguments.rtt or ()]
    rtts = rtts or [link.rtt_s for link in (QUICK if arguments.quick else USUAL)]
    jitter_s, loss = arguments.jitter * _MS, arguments.loss * _PERCENT
    try:
        return tuple(Link(rtt_s=rtt_s, jitter_s=jitter_s, loss=loss) for rtt_s in rtts)
    except ValueError as error:
        sys.exit(str(error))


def _installed_peers() -> tuple[str, ...]:
    absent = missing()
    if absent:
        print(f"Not installed: {', '.join(absent)}; so the documentation stays as it is.")
    return tuple(name for name in PEERS if name not in absent)


def _end_cleanly() -> None:
    """Let Ctrl-C and a kill end this as an error does, and once: the namespaces are to go."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, _: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in signals:
        signal.signal(each, end)


def _measure_all(task: Task, links: Sequence[Link], peers: Sequence[str]) -> Iterator[Measured]:
    for link in links:
        with wan(link, task.seed) as ends, nginx_in(ends.server):
            for endpoint in ENDPOINTS:
                one = measured(task, endpoint, link, ends)
                print(f"{one.name} is measured.", file=sys.stderr)
                told = {name: _typical(name, endpoint, link, ends.client, task) for name in peers}
                yield one.beside(told)


def _typical(
    name: str, endpoint: Endpoint, link: Link, client: Namespace, task: Task
) -> tuple[float, float]:
    """What a tool reports of reused connections, and of fresh ones."""
    reused, fresh = (
        typical_s(
            name,
            endpoint.url(SERVER_ADDRESS),
            client,
            fresh=is_fresh,
            requests=task.requests,
            expected_s=link.rtt_s * (endpoint.fresh_trips if is_fresh else 1),
        )
        for is_fresh in (False, True)
    )
    return reused, fresh


if __name__ == "__main__":
    sys.exit(main())
