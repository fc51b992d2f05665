"""Query parameters that vary from request to request, the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.secret_names import is_secret_name
from keepalive_bench.plan.target import redacted_query
from keepalive_bench.units import REDACTED, quoted

Parameter = tuple[str, str]
COUNTER = "kab"


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Which parameters the request with a given index carries, besides those of the URL.

    With nothing asked for, it carries `kab=INDEX`, so that caches don't answer.
    """

    fields: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    """Names with the values that each is cycled through."""
    rows: tuple[tuple[Parameter, ...], ...] = field(default=(), repr=False)
    """Whole sets of parameters, one a request, cycled through."""
    unique: tuple[str, ...] = ()
    """Names that get a value no other request of the run has."""
    counter: bool = True
    """Whether to add `kab=INDEX` where nothing else varies the request."""
    _encoded_fields: tuple[tuple[str, ...], ...] = field(init=False, repr=False, compare=False)
    _encoded_rows: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Encode every value once: a request then only picks."""
        if any(not values for _, values in self.fields):
            raise UsageError("A varying parameter needs at least one value.")
        fields = tuple(
            tuple(_pair(name, value) for value in values) for name, values in self.fields
        )
        object.__setattr__(self, "_encoded_fields", fields)
        rows = tuple("&".join(_pair(*parameter) for parameter in row) for row in self.rows)
        object.__setattr__(self, "_encoded_rows", rows)

    @property
    def counts(self) -> bool:
        """Whether requests carry the counter that kab itself adds."""
        return self.counter and not (self.fields or self.rows or self.unique)

    def query(self, index: int, token: str) -> str:
        """The parameters of the request with an index, encoded; warm-ups have indexes below 0.

        `token` makes unique values differ from those of other runs.
        """
        if self.counts:
            return f"{COUNTER}={index}"
        parts = [values[index % len(values)] for values in self._encoded_fields]
        if self._encoded_rows:
            parts.append(self._encoded_rows[index % len(self._encoded_rows)])
        parts += [_pair(name, f"{token}-{index}") for name in self.unique]
        return "&".join(part for part in parts if part)

    def shown(self, index: int, token: str) -> str:
        """The same for people, secrets starred."""
        return redacted_query(self.query(index, token))

    def redacted(self) -> Variation:
        """The same, with the values of secret parameters starred, for an export."""
        return Variation(
            fields=tuple(
                (name, (REDACTED,) * len(values) if is_secret_name(name) else values)
                for name, values in self.fields
            ),
            rows=tuple(
                tuple((name, REDACTED if is_secret_name(name) else value) for name, value in row)
                for row in self.rows
            ),
            unique=self.unique,
            counter=self.counter,
        )


def _pair(name: str, value: str) -> str:
    try:
        return f"{quote(name, safe='')}={quote(value, safe='')}"
    except UnicodeEncodeError:
        raise UsageError(
            f"The parameter {quoted(name)} has bytes that are no UTF-8: write them "
            "percent-encoded, into the URL."
        ) from None
