"""What a fault is, and the words in which it says what is to be done on the wire."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import TYPE_CHECKING

from keepalive_bench.server.behaviour import MOST
from keepalive_bench.server.responses import Response, compose
from keepalive_bench.units import LONGEST_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.received import ReceivedRequest


class Do(Enum):
    """What is done with the connection; all but the last one end the fault."""

    CLOSE = "end it with FIN"
    RESET = "end it with RST"
    HOLD = "keep it open without a word until the client leaves"
    NAGLE = "let the system hold small packets back until others are acknowledged"


@dataclass(frozen=True)
class Beneath:
    """Bytes to send as they are, beneath TLS."""

    data: bytes


Step = bytes | float | Do | Beneath
"""Bytes to send in one go, seconds to wait, or something to do."""

Value = float | int | str
LARGEST = 2**28
"""Bytes that a fault keeps whole."""
_LAST_OF_LATIN_1 = 0xFF


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
    request: ReceivedRequest
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
    BODY = "the body of a request, which stays unread"
    REQUEST = "a complete request, in place of its answer"


@dataclass(frozen=True)
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
    _: KW_ONLY
    choices: tuple[Value, ...] = ()
    most: int = MOST

    def read(self, text: str) -> Value:
        """Read a value, allowed or not; raise `ValueError` where it is of another type."""
        return type(self.default)(text)

    def allows(self, value: Value) -> bool:
        """Whether it can be this."""
        if self.choices:
            return value in self.choices
        if isinstance(self.default, str):
            return isinstance(value, str) and all(ord(char) <= _LAST_OF_LATIN_1 for char in value)
        number = int if isinstance(self.default, int) else (int, float)
        return isinstance(value, number) and 0 <= value <= self.most

    @property
    def bounds(self) -> str:
        """What it may be, as the end of a sentence, where it is a number."""
        if self.choices or isinstance(self.default, str):
            return ""
        return f": {self.name} must be 0 to {self.most:,}"


@dataclass(frozen=True)
class FaultKind:
    """One thing that can go wrong.

    Attributes:
        line: What happens on the wire.
        act: How it is done. If the steps don't end the connection, it goes on as it would have.
    """

    name: str
    line: str
    _: KW_ONLY
    act: Callable[[Scene], Iterable[Step]]
    when: When = When.REQUEST
    parameter: Parameter | None = None


def seconds(default: float) -> Parameter:
    """A time."""
    return Parameter("SECONDS", default, most=int(LONGEST_S))


def size(default: int, most: int = LARGEST) -> Parameter:
    """A number of bytes."""
    return Parameter("BYTES", default, most=most)
