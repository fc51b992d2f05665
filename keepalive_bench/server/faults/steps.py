"""The words in which a fault says what is to be done on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from keepalive_bench.server.behaviour import LONGEST_S, MOST
from keepalive_bench.server.responses import Response, compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.messages import Request


class Do(Enum):
    """What is done with the connection; all but the last one end the fault."""

    CLOSE = "end it with FIN"
    RESET = "end it with RST"
    HOLD = "keep it open without a word until the client leaves"
    NAGLE = "let the system hold small packets back until others are acknowledged"


Step = bytes | float | Do
"""Bytes to send in one go, seconds to wait, or something to do."""

Value = float | int | str
LARGEST = 2**28
"""Bytes that a fault keeps whole."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a fault acts.

    Attributes:
        behaviour: The server's; its other wishes still hold.
        request: The one to answer; where there is none, a plain GET.
        nth: Its number on its connection.
        value: The fault's parameter.
    """

    behaviour: Behaviour
    request: Request
    nth: int
    value: Value | None

    @property
    def count(self) -> int:
        """The parameter as a number of something."""
        return int(self.value or 0)

    @property
    def seconds(self) -> float:
        """The parameter as a time."""
        return float(self.value or 0)

    def response(self, *, chunked: bool | None = None) -> Response:
        """What would have been right."""
        return compose(self.behaviour, self.request, self.nth, chunked=chunked)


class When(Enum):
    """What a fault waits for."""

    HANDSHAKE = "the client's first bytes, in place of a TLS handshake"
    OPEN = "a new connection"
    IDLE = "so many seconds without a request, after an answer"
    REQUEST = "a complete request, in place of its answer"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What can be said more exactly about a fault.

    Attributes:
        name: What it is, such as ``SECONDS``.
        default: Its value where nothing is said; every value is of its type.
        choices: The only values there are, if they are few.
        most: The largest, of numbers.
    """

    name: str
    default: Value
    choices: tuple[Value, ...] = ()
    most: int = MOST


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One thing that can go wrong.

    Attributes:
        line: What happens on the wire.
        act: How it is done. If the steps don't end the connection, it goes on as it would have.
    """

    when: When
    line: str
    act: Callable[[Scene], Iterable[Step]]
    parameter: Parameter | None = None


def seconds(default: float) -> Parameter:
    """A time."""
    return Parameter(name="SECONDS", default=default, most=int(LONGEST_S))


def size(default: int, most: int = LARGEST) -> Parameter:
    """A number of bytes."""
    return Parameter(name="BYTES", default=default, most=most)
