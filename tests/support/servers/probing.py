"""Real servers, probed all at the same time: a probe hardly does anything but wait."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

from support.patience import PATIENCE_S
from support.servers.place import place

from keepalive_bench.plan.network import Network, Tls
from keepalive_bench.plan.probing import ProbePlan, Probing
from keepalive_bench.plan.target import Target
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.probed import Announced
from keepalive_bench.probe.prober import probe
from keepalive_bench.probe.transport import LiveTransport
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.servers.case import Idle, Launcher
    from support.servers.place import Place
    from typing_extensions import Self

    from keepalive_bench.connections.products import Concern, Product
    from keepalive_bench.probe.probed import Persistence, Probed
    from keepalive_bench.probe.record import EndKind

_OLD = "http1.0"
_NOTHING = Announced(None, None)


@dataclass(frozen=True, kw_only=True)
class ProbeCase:
    """A server, how it is set up, and what its documentation says that a probe must find."""

    product: Product
    decides: Concern = "idle_timeout"
    """What the setting decides."""
    setting: str = ""
    """In the words of the server's own users; empty: as it comes."""
    start: Launcher
    probing: Probing
    tls: bool = False
    persistence: Persistence = "kept"
    idle: Idle | None
    """How long it keeps an idle connection; `None`: for longer than it was looked for."""
    backends_s: tuple[float, ...] = ()
    """The same of each server behind it, where they differ."""
    ends: EndKind = "fin"
    announced: Announced = _NOTHING
    lifetime_s: float | None = None
    limit: int | None = None
    """Of requests."""
    keeps_old: bool | None = None
    """Whether it keeps a connection of HTTP/1.0, where it is asked to; `None`: isn't tried."""
    consistent: tuple[str, ...] = ()
    """The defaults that are named."""
    is_costly: bool = False
    """Whether only `make servers` starts it: tests save the time."""
    answer: str = ""
    """What the answer has in it, beside what all have."""

    @property
    def name(self) -> str:
        return " ".join(filter(None, [self.product.name, self.setting])).replace("`", "")

    @property
    def page(self) -> str:
        setting = self.product.setting(self.decides)
        return setting.page if setting else ""


class Metronome:
    """How late this process is, at worst, where it is to do something at a time."""

    _BEAT_S = 0.005

    def __init__(self) -> None:
        self.late_s = 0.0
        self._ended = Event()
        self._beating = Thread(target=self._beat)

    def __enter__(self) -> Self:
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._beating.join()

    def _beat(self) -> None:
        due_s = time.monotonic() + self._BEAT_S
        while not self._ended.wait(max(0.0, due_s - time.monotonic())):
            now_s = time.monotonic()
            self.late_s = max(self.late_s, now_s - due_s)
            due_s = now_s + self._BEAT_S


class ServerSaw(NamedTuple):
    """What a server noted itself."""

    connections: int
    requests: int


class ProbedServer(NamedTuple):
    """What a probe came to, and what its server saw of it."""

    case: ProbeCase
    found: Probed
    saw: ServerSaw


class ProbedServers(NamedTuple):
    """All of them."""

    servers: list[ProbedServer]
    late_s: float
    """How late what was seen may have been noted, as other processes held this one up."""


def old_keep_alive(found: Probed) -> bool | None:
    """Whether a connection of HTTP/1.0 was kept that asked for it."""
    return next((it.keeps for it in found.behaviours if it.name == "with keep-alive"), None)


def probing(max_idle_s: float, **options: object) -> Probing:
    """Up to an idle time, and whether HTTP/1.0 is kept."""
    return Probing(max_idle_s=max_idle_s, **{"behaviours": (_OLD,), **options})  # type: ignore[arg-type]  # each has its own type


def probed(cases: Sequence[ProbeCase]) -> ProbedServers:
    """Start the servers, and probe all of them at once."""
    with ExitStack() as places:
        at = [places.enter_context(place()) for _ in cases]
        with ExitStack() as servers:
            for case, where in zip(cases, at, strict=True):
                servers.enter_context(case.start(where))
            with Metronome() as metronome, ThreadPoolExecutor(len(cases)) as threads:
                found = [*threads.map(_probed, cases, [it.port for it in at])]
        saw = map(_saw, at)  # some write down what they saw when they end
        each = [ProbedServer(*it) for it in zip(cases, found, saw, strict=True)]
        return ProbedServers(each, metronome.late_s)


def _probed(case: ProbeCase, port: int) -> Probed:
    target = Target(f"http{'s' if case.tls else ''}://127.0.0.1:{port}/")
    plan = ProbePlan(
        target,
        tls=Tls(ca_file=CERTIFICATE),
        network=Network(timeout_s=PATIENCE_S),
        probing=case.probing,
    )
    known = Event()

    def pause(seconds: float) -> None:
        known.wait(seconds)
        known.clear()

    transport = LiveTransport(plan, known.set, pause)
    try:
        return analyse(probe(plan, transport))
    finally:
        transport.close()


def _saw(at: Place) -> ServerSaw:
    """A line for each request, with the port that it came from."""
    ports = Counter(at.log.read_text().split())
    return ServerSaw(len(ports), ports.total())
