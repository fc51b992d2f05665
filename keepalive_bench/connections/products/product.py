"""What a product is: server software, or a service, that answers requests or passes them on."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Concern = Literal[
    "keep_alive",
    "request_limit",
    "idle_timeout",
    "lifetime",
    "errors",
    "unread_body",
    "recycling",
    "http_1_1",
    "upstream",
    "upstream_wait",
    "tls_sessions",
]
"""What a setting decides: the field of `Product` that has it."""
Place = Literal["origin", "gateway", "edge", "proxy"]
"""Where a product usually stands: it answers by itself (`origin`), or passes on requests of anybody
(`gateway`), as the one that clients connect to (`edge`), or of its users to anywhere (`proxy`)."""
PLACES: dict[Place, str] = {
    "origin": "answers by itself",
    "gateway": "answers, or stands in front of others",
    "edge": "stands nearest to clients",
    "proxy": "is a proxy of the client's side",
}
"""What a product usually does, by where it stands."""


_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_TIME = r"([0-9][0-9,]*(?:\.[0-9]+)?) (ms|s|min|h)\b"


class Setting(NamedTuple):
    """What decides when a product ends connections; or that nothing does that can be set."""

    name: str
    """As its documentation spells it; empty: there is no such setting."""
    default: str = ""
    page: str = ""
    """Where it is documented; empty: what is known comes from its source."""
    note: str = ""
    """What more there is to know; without a name, what the product does: `keeps no connection`."""
    older: str = ""
    """In which versions it is otherwise: `100 before 1.19.10`."""
    happens: bool | None = True
    """Whether it does at all what the setting would decide; `None`: its documentation is silent."""
    is_announced: bool = False
    """Whether the last response before such a close says `Connection: close`."""
    late_s: float = 0.0
    """Of a time, by how much what it decides may come later, in seconds."""

    @property
    def times(self) -> dict[str, float]:
        """The times that it stands for unless it is set, in seconds, by how they are written.

        First the newest versions', then older ones', with which these are: `5,000 ms before 26`.
        """
        told = self.default or ("" if self.name else self.note)
        return {
            found[0] if text is told else text: float(found[1].replace(",", ""))
            * _SECONDS[found[2]]
            for text in (told, self.older)
            if (found := re.search(_TIME, text))
        }

    def as_of(self, version: str) -> Setting:
        """As it is in a version (`1.22.1`), where it says since when it is otherwise."""
        found = re.fullmatch(r"(?:from|(?P<before>.+?),? before) (?P<since>[0-9.]+)", self.older)
        if found is None or not version:
            return self
        if _parts(version) >= _parts(found["since"]):
            return self._replace(older="")
        if found["before"]:
            return self._replace(default=found["before"], older="")
        said = ": ".join(filter(None, (f"has no {self.name} yet", self.note)))
        return Setting("", note=said, page=self.page, happens=bool(self.note))


class Limit(NamedTuple):
    """What a product refuses, with an error of its own, and the setting that says how much."""

    statuses: tuple[int, ...]
    setting: Setting


def never(note: str = "", page: str = "") -> Setting:
    """There is no such setting, as the product does no such thing."""
    return Setting("", note=note, page=page, happens=False)


def undocumented(page: str) -> Setting:
    """Its documentation, which is all that there is to go by, says nothing of it."""
    return Setting("", note="documents nothing about that", page=page, happens=None)


def always(note: str, page: str = "", *, is_announced: bool = False) -> Setting:
    """The product does it, and no setting changes that."""
    return Setting("", note=note, page=page, is_announced=is_announced)


def _parts(version: str) -> list[int]:
    return [int(it) for it in version.split(".") if it]


class Product(NamedTuple):
    """One product. What is `None` of it isn't known."""

    name: str
    place: Place
    server: tuple[str, ...] = ()
    """How `Server` names it, without the version, in lower case; none: not at all, by default."""
    nameless_from: str = ""
    """From which version on it names itself no more, by default."""
    via: tuple[str, ...] = ()
    """How `Via` does."""
    also: tuple[str, ...] = ()
    """What users call it, besides."""
    keep_alive: Setting | None = None
    """What turns keep-alive off."""
    request_limit: Setting | None = None
    """After how many requests it closes a connection."""
    idle_timeout: Setting | None = None
    """How long it keeps a connection that is idle."""
    lifetime: Setting | None = None
    """How old a connection gets, whatever it carries."""
    errors: Setting | None = None
    """After which errors it closes."""
    limits: tuple[Limit, ...] = ()
    """What it refuses, by the status of the error."""
    unavailable: str = ""
    """When it answers 503, as a clause, where it does so for reasons of its own."""
    unreached_is_503: bool = False
    """Whether it answers 503 where it reaches no server behind it, or none that takes more."""
    unread_body: Setting | None = None
    """What it does with the rest of a request's body that it answered without reading."""
    recycling: Setting | None = None
    """What ends connections that nothing is wrong with: workers that end, a limit on idle ones."""
    http_1_1: Setting | None = None
    """What has it speak HTTP/1.1, where it doesn't by default."""
    upstream: Setting | None = None
    """How it keeps its own connections to what is behind it."""
    upstream_wait: Setting | None = None
    """How long it waits for an answer of what is behind it."""
    tls_sessions: Setting | None = None
    """What lets clients resume TLS sessions."""

    @property
    def word(self) -> str:
        """What `--server` calls it."""
        return self.name.lower().replace(" ", "-")

    @property
    def names_itself(self) -> bool:
        """Whether answers tell that they come from it, as it is by default."""
        return bool(self.server or self.via) and not self.nameless_from

    def setting(self, concern: Concern) -> Setting | None:
        """What decides something of its connections; `None`: that isn't known."""
        found: Setting | None = getattr(self, concern)
        return found
