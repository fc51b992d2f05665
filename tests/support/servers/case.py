"""What a server's documentation says, and how to see whether kab finds exactly that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.servers.launchers import Launcher


@dataclass(frozen=True, kw_only=True)
class Case:
    """A server, how it is set up, and what follows from its documentation."""

    server: str
    page: str
    """Where its documentation says so."""
    setting: str
    """In the words of the server's own users; empty: as it comes."""
    documented: str
    start: Launcher
    code: str
    """The reason for each connection after the first."""
    served: tuple[int, ...]
    """How many requests each connection carries."""
    idle_s: float | None = None
    """After how long the server closes an idle connection; the first one is left idle so."""
    tls: bool = False

    @property
    def name(self) -> str:
        return " ".join(filter(None, [self.server, self.setting])).replace("`", "")

    @property
    def reasons(self) -> dict[str, int]:
        return {"first-use": 1, self.code: len(self.served) - 1}
