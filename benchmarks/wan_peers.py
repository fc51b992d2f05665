"""What wrk, hey and ab report as the typical latency, of reused and of fresh connections."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wan import Namespace

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "secs": 1.0}
_LEAST_S = 2


class Peer(NamedTuple):
    """How a tool is called, and where in its output the median is."""

    command: tuple[str, ...]
    reused: tuple[str, ...]
    fresh: tuple[str, ...]
    """What makes it open a connection for each request."""
    median: str
    """A pattern of a line: a number, and perhaps its unit, which is milliseconds otherwise."""


PEERS = {
    "wrk": Peer(
        ("wrk", "--latency", "-t1", "-c1", "-d{seconds}s"),
        reused=(),
        fresh=("-H", "Connection: close"),
        median=r"^ +50% +([\d.]+)(us|ms|s)$",
    ),
    "hey": Peer(
        ("hey", "-c", "1", "-n", "{requests}"),
        reused=(),
        fresh=("-disable-keepalive",),
        median=r"^ +50%+ in ([\d.]+) (secs)$",
    ),
    "ab": Peer(
        # What it prints are whole milliseconds; the file that -e asks for has more digits.
        ("ab", "-q", "-c", "1", "-n", "{requests}", "-e", "/dev/stdout"),
        reused=("-k",),
        fresh=(),
        median=r"^50,([\d.]+)$",
    ),
}


def missing() -> list[str]:
    """Those that aren't installed."""
    return [name for name in PEERS if shutil.which(name) is None]


def typical_s(
    name: str, url: str, inside: Namespace, *, fresh: bool, requests: int, expected_s: float
) -> float:
    """The median that a tool reports, in seconds, of so many requests that take about so long."""
    peer = PEERS[name]
    seconds = max(_LEAST_S, ceil(requests * expected_s))  # what wrk takes in place of a number
    words = [word.format(requests=requests, seconds=seconds) for word in peer.command]
    command = inside.command(*words, *(peer.fresh if fresh else peer.reused), url)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    found = re.search(peer.median, done.stdout, re.MULTILINE)
    if found is None:
        sys.exit(f"{' '.join(command)} reports no median:\n{done.stdout}{done.stderr}")
    number, *unit = found.groups()
    return float(number) * _SECONDS[unit[0] if unit else "ms"]
