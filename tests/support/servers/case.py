"""A row of the table: a server, how it is set up, and what is to follow from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from support.servers.place import Place

if TYPE_CHECKING:
    import signal
    import subprocess
    from contextlib import AbstractContextManager

    from keepalive_bench.connections.products import Concern, Product, Setting

Launcher = Callable[[Place], "AbstractContextManager[subprocess.Popen[bytes]]"]


class Idle(NamedTuple):
    """The connection is left idle until the server closes it, which takes so long."""

    least_s: float
    most_s: float


class Pause(NamedTuple):
    """Nothing is sent for so long."""

    seconds: float


class Told(NamedTuple):
    """The server gets a signal, and is waited for until it has closed the idle connection."""

    signal: signal.Signals


Halt = Idle | Pause | Told


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What is sent, one by one, and what happens in between."""

    options: Mapping[str, object] = field(default_factory=dict)
    """Of the plan's request."""
    halts: Mapping[int, Halt] = field(default_factory=dict)
    """After the request of that number, counted from 1."""


class Cure(NamedTuple):
    """What else to set, so that the same traffic needs one connection."""

    setting: str
    start: Launcher


@dataclass(frozen=True, kw_only=True)
class Case:
    """A server, how it is set up, and what follows from its documentation."""

    product: Product
    decides: Concern | None = None
    """What the setting decides, where the table of products has it, with its page."""
    page: str = ""
    """Where its documentation says so, otherwise."""
    setting: str
    """In the words of the server's own users; empty: as it comes."""
    documented: str
    start: Launcher
    code: str
    """The reason for each connection after the first."""
    served: tuple[int, ...]
    """How many requests each connection carries."""
    traffic: Traffic = Traffic()
    cure: Cure | None = None
    tls: bool = False
    is_hidden: bool = False
    """Whether it passes on the name of what is behind it."""
    takes_a_minute: bool = False
    """`make servers` measures it; tests don't wait for so long."""

    @property
    def server(self) -> str:
        return self.product.name

    @property
    def told(self) -> str | None:
        """What kab has to be told of who it is; `None`: it is named by its answers."""
        is_named = self.product.names_itself and not self.is_hidden
        return None if is_named else self.product.word

    @property
    def advised(self) -> Setting | None:
        """What kab is to advise on."""
        return None if self.decides is None else self.product.setting(self.decides)

    @property
    def limits(self) -> list[Setting]:
        """What it is set to refuse requests by, so that kab is to name it."""
        settings = [it.setting for it in self.product.limits]
        return [it for it in settings if f"`{it.name} " in self.setting]

    @property
    def documentation(self) -> str:
        return self.page or (self.advised.page if self.advised else "")

    @property
    def name(self) -> str:
        return " ".join(filter(None, [self.server, self.setting])).replace("`", "")

    @property
    def reasons(self) -> dict[str, int]:
        return {"first-use": 1, self.code: len(self.served) - 1}

    @property
    def requests(self) -> int:
        return sum(self.served)

    @property
    def idle(self) -> Idle | None:
        """How long its server keeps the connection that is left idle, where one is."""
        return next((it for it in self.traffic.halts.values() if isinstance(it, Idle)), None)


def idle(least_s: float, most_s: float | None = None) -> Traffic:
    """Left idle once, after the third request, until the server closes the connection.

    Where its clock is coarse it does so `most_s` after that request at the latest.
    """
    return Traffic(halts={3: Idle(least_s, most_s or least_s)})


def restarted(by: signal.Signals, rest_s: float = 0.7) -> Traffic:
    """Left idle three times, and told to restart the fourth: that comes sooner than any timeout.

    For more than twice as long as the restart takes: no timer that ends it then spares it there.
    """
    rest = Pause(rest_s)
    return Traffic(halts={1: rest, 2: rest, 3: rest, 4: Told(by)})


AGEING = Traffic(halts={number: Pause(0.8) for number in (7, 19, 28)})
"""Left idle, before the last request of three connections, until they are older than the server
wants them to be."""
POSTED = Traffic(options={"method": "POST", "body": bytes(5000)})
"""Bodies of 5 kB, for servers that are told to refuse such."""
LONG_HEADER = Traffic(options={"headers": (("X-Long", "x" * 9_000),)})
"""Headers of 9 kB, for proxies that are told to take less."""
UNREAD = Traffic(
    options={"method": "POST", "body": bytes(200_000)},
    halts={1: Pause(0.2), 2: Pause(0.2), 3: Pause(0.2)},
)
"""Bodies of 200 kB, that the servers here don't read; what that leads to comes while idle."""
MUCH_UNREAD = Traffic(options={"method": "POST", "body": bytes(3_000_000)})
"""Bodies of 3 MB, more than any server reads of what its application leaves."""

IDLE, EACH, EVERY_4, RESTARTED, AGED = (3, 2), (1, 1, 1, 1), (4, 4, 2), (4, 2), (8, 12, 9, 4)
"""Left idle after the third request; a connection for each request; one for every four; told to
restart after the fourth; too old at these."""
