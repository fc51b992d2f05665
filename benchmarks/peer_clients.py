"""kab and its peers: how each is called, and where in its output it tells of connections."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import lean
import processes

POOLED, UNPOOLED = MODES = ("pooled", "unpooled")
THREADS = 8
"""Requests under way at once, of each process."""
_HERE = Path(__file__).parent
_PEERS_BIN = _HERE.parent / ".venv-peers" / "bin"
_NODE_BIN = _HERE.parent / ".peers-npm" / "node_modules" / ".bin"
_SECONDS, _FEW_SECONDS = 2, 1
_QUICK = 50
_BY_ARM = (("--arm", POOLED), ("--arm", UNPOOLED))


@dataclass(frozen=True, kw_only=True)
class Client:
    """Something that sends requests: its name, its words, and how many to ask it for."""

    name: str
    words: tuple[str, ...]
    """The program and its options; `{amount}` and `{threads}` are filled in, the URL ends them."""
    by_mode: tuple[tuple[str, ...], tuple[str, ...]]
    """What makes it reuse connections, and what makes it open one for each request."""
    requests: tuple[int, int] | None = None
    """For about a second, in each mode; `None`: it takes seconds instead."""
    told: str | None = None
    """A pattern of the number of connections that it reports."""
    told_of_reuse: str | None = None
    threads: int = THREADS
    shares_cores: bool = False
    """Whether it shares all cores with nginx, instead of having one, and nginx another."""

    @property
    def is_installed(self) -> bool:
        """Whether its program is there."""
        return shutil.which(self.words[0]) is not None

    def amounts(self, mode: str, *, quick: bool) -> tuple[int, int]:
        """How much to ask for, and how little, for its start-up to be seen by itself."""
        if self.requests is None:
            return _SECONDS, _FEW_SECONDS
        many = self.requests[MODES.index(mode)]
        return (many // _QUICK if quick else many), THREADS

    def command(self, mode: str, url: str, amount: int) -> list[str]:
        """Its words, complete."""
        words = [word.format(amount=amount, threads=self.threads) for word in self.words]
        return [*words, *self.by_mode[MODES.index(mode)], url]

    def connections_told(self, output: str) -> str | None:
        """How many connections it says that it opened, or has."""
        return _found(self.told, output)

    def reuse_told(self, output: str) -> str | None:
        """What it says of reuse."""
        return _found(self.told_of_reuse, output)


def _found(pattern: str | None, output: str) -> str | None:
    match = re.search(pattern, output) if pattern else None
    return " ".join(match[1].split()) if match else None


def _kab(name: str, *, processes_: int, shares_cores: bool) -> Client:
    """It makes no warm-up requests here, so that its count can be held against nginx's."""
    several = ("--processes", str(processes_)) if processes_ > 1 else ()
    words = ("run", "-n", "{amount}", "-c", "{threads}", "--warmup", "0", *several)
    return Client(
        name=name,
        words=(processes.kab(), *words),
        by_mode=_BY_ARM,
        requests=(10_000 * processes_, 5_000 * processes_),
        told=r"(?m)^connections +([\d,]+)",
        shares_cores=shares_cores,
    )


def _loop(name: str, python: str, requests: tuple[int, int]) -> Client:
    """A loop of this benchmark's own."""
    script = str(_HERE / "peer_loops.py")
    words = (python, script, "--threads", "{threads}", "--requests", "{amount}", name)
    return Client(name=name, words=words, by_mode=_BY_ARM, requests=requests)


def _locust(user: str) -> Client:
    """As many of its users as others have threads; `-H` is its word for the URL."""
    quiet = ("--headless", "--only-summary", "--loglevel", "ERROR")
    return Client(
        name=f"locust, {user}",
        words=(
            *(str(_PEERS_BIN / "locust"), "-f", str(_HERE / "peer_locust.py"), *quiet),
            *("-u", "{threads}", "-r", "{threads}", "-t", "{amount}s"),
        ),
        by_mode=((f"Pooled{user}", "-H"), (f"Unpooled{user}", "-H")),
    )


KAB = _kab("kab", processes_=1, shares_cores=False)
KAB_ALONE = replace(KAB, name="kab, 1 at a time", threads=1)
KAB_ONE = _kab("kab, 1 process, both cores", processes_=1, shares_cores=True)
KAB_TWO = _kab("kab, 2 processes, both cores", processes_=2, shares_cores=True)
LEAN = Client(
    name="lean urllib3",
    words=(sys.executable, lean.__file__, "--threads", "{threads}", "--requests", "{amount}"),
    by_mode=_BY_ARM,
    requests=KAB.requests,
)
LEAN_ALONE = replace(LEAN, name="lean urllib3, 1 at a time", threads=1)
REQUESTS = _loop("requests", str(_PEERS_BIN / "python"), (3_000, 2_000))
HTTP_USER = _locust("HttpUser")
AUTOCANNON = Client(
    name="autocannon",
    words=(
        *(shutil.which("autocannon") or str(_NODE_BIN / "autocannon"), "-n"),
        *("-c", "{threads}", "-d", "{amount}"),
    ),
    by_mode=((), ("-D", "1")),
    told=r"(\d+) connections",
)
CLIENTS = (
    KAB,
    LEAN,
    _loop("http.client", sys.executable, (16_000, 8_000)),
    REQUESTS,
    HTTP_USER,
    _locust("FastHttpUser"),
    Client(
        name="hey",
        words=("hey", "-c", "{threads}", "-n", "{amount}"),
        by_mode=((), ("-disable-keepalive",)),
        requests=(40_000, 12_000),
    ),
    Client(
        name="wrk",
        words=("wrk", "-t1", "-c{threads}", "-d{amount}s"),
        by_mode=((), ("-H", "Connection: close")),
        told=r"threads and (\d+) connections",
    ),
    Client(
        name="ab",
        words=("ab", "-q", "-c", "{threads}", "-n", "{amount}"),
        by_mode=(("-k",), ()),
        requests=(80_000, 20_000),
        told_of_reuse=r"(Keep-Alive requests: +\d+)",
    ),
    AUTOCANNON,
    KAB_ALONE,
    LEAN_ALONE,
    KAB_ONE,
    KAB_TWO,
)
