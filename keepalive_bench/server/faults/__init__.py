"""What the embedded server can do wrong on demand, how exactly, and where.

Adding a fault is writing a function and an entry beside it, in the file of its subject.
"""

from __future__ import annotations

import re
import sys
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.server.faults.cuts import CUTS
from keepalive_bench.server.faults.kinds import When
from keepalive_bench.server.faults.messages import MESSAGES
from keepalive_bench.units import quoted, shortened

if TYPE_CHECKING:
    from keepalive_bench.server.faults.kinds import FaultKind, Value

FAULTS: dict[str, FaultKind] = {kind.name: kind for kind in (*CUTS, *MESSAGES)}
"""Every fault by its name."""
ALL = "*"
_NUMBERS = re.compile(
    r"\*(?:/(?P<step>[1-9]\d{,8}))?|(?P<first>[1-9]\d{,8})(?P<range>-(?P<last>[1-9]\d{,8})?)?"
)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, on the requests and connections named.

    Attributes:
        name: One of `FAULTS`.
        value: Its parameter; ``None`` stands for the parameter's default.
        requests: The numbers of the requests on their connection (for idle faults: of the
            request before), such as ``*``, ``3``, ``3-``, ``2-4``, or ``*/3`` for every third.
        connections: The numbers of the connections, counted as the server accepts them.

    Raises:
        UsageError: There is no such fault, or not with this parameter or these numbers.
    """

    name: str
    value: Value | None = None
    _: KW_ONLY
    requests: str = ALL
    connections: str = ALL

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise UsageError(f"There is no fault {quoted(self.name)}: see kab serve --list-faults.")
        parameter = self.kind.parameter
        if self.value is not None and not (parameter and parameter.allows(self.value)):
            shown, bounds = shortened(str(self.value)), parameter.bounds if parameter else ""
            raise UsageError(f"The fault {self.name} can't take '{shown}'{bounds}.")
        selection(self.requests)
        selection(self.connections)
        if self.kind.when in {When.HANDSHAKE, When.OPEN} and self.requests != ALL:
            raise UsageError(
                f"The fault {self.name} comes before any request: it can't be limited to some."
            )

    @classmethod
    def parse(cls, text: str, *, requests: str = ALL, connections: str = ALL) -> Fault:
        """Read ``NAME`` or ``NAME=PARAMETER``.

        Raises:
            UsageError: It makes no sense.
        """
        name, mark, given = text.partition("=")
        value: Value | None = None
        if mark and name in FAULTS:
            if (parameter := FAULTS[name].parameter) is None:
                raise UsageError(f"The fault {name} has no parameter.")
            try:
                value = parameter.read(given)
            except ValueError:
                raise UsageError(
                    f"{quoted(given)} isn't a valid {parameter.name} for the fault {name}."
                ) from None
        return cls(name, value, requests=requests, connections=connections)

    @property
    def kind(self) -> FaultKind:
        """What it does, and when."""
        return FAULTS[self.name]

    @property
    def needs_tls(self) -> bool:
        """Whether it strikes in a handshake."""
        return self.kind.when is When.HANDSHAKE

    def strikes_connection(self, number: int) -> bool:
        """Whether the connection of this number is one of its own."""
        return number in selection(self.connections)

    def strikes_request(self, number: int) -> bool:
        """Whether the request of this number on such a connection is; 0 never is."""
        return number in selection(self.requests)

    @property
    def exactly(self) -> Value | None:
        """Its parameter, also where it is the default."""
        if self.value is None and self.kind.parameter is not None:
            return self.kind.parameter.default
        return self.value


@lru_cache(maxsize=64)
def selection(text: str) -> range:
    """Read a choice of the numbers 1, 2, 3, …: ``*``, ``3``, ``3-``, ``2-4`` or ``*/3``.

    Raises:
        UsageError: It is none of these.
    """
    match = _NUMBERS.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{quoted(text)} isn't a list of numbers: write *, 3, 3-, 2-4, or */3 for every third."
        )
    step = int(match["step"] or 1)
    first = int(match["first"] or step)
    last = first if match["first"] and not match["range"] else int(match["last"] or sys.maxsize)
    return range(first, last + 1, step)
