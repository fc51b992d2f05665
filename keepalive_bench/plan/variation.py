"""Query parameters that vary from request to request, the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example, Option, option, options, ruled, switch
from keepalive_bench.plan.secret_names import is_secret_name
from keepalive_bench.plan.target import redacted_query
from keepalive_bench.plan.values import parse_parameter
from keepalive_bench.typed_json import fewest
from keepalive_bench.units import REDACTED, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.options import Asked, File

Parameter = tuple[str, str]
Fields = tuple[tuple[str, Annotated[tuple[str, ...], fewest(1)]], ...]
Rows = tuple[tuple[Parameter, ...], ...]
COUNTER = "kab"


def _spelled(fields: Fields) -> Iterator[str]:
    return (f"{name}={value}" for name, values in fields for value in values)


def _rows(file: File) -> Rows:
    from keepalive_bench.plan.fields_file import parse_rows  # noqa: PLC0415  # few runs have one

    return parse_rows(file)


FIELD = Option(
    form="repeatable",
    parse=parse_parameter,
    words=_spelled,
    spelling="-f, --field NAME=VALUE",
    help="Query parameter. One name with several values: request by request the next.",
    example=Example("-f q=python -f q=php", "?q=php", "sent"),
)


def _gathered(asked: Asked) -> Fields:
    """The values of one name together, in the order given."""
    values: dict[str, list[str]] = {}
    for name, value in asked.each(FIELD):
        values.setdefault(name, []).append(value)
    return tuple((name, tuple(several)) for name, several in values.items())


def _starred_fields(fields: Fields) -> Fields:
    return tuple(
        (name, (REDACTED,) * len(values) if is_secret_name(name) else values)
        for name, values in fields
    )


def _starred_rows(rows: Rows) -> Rows:
    return tuple(
        tuple((name, REDACTED if is_secret_name(name) else value) for name, value in row)
        for row in rows
    )


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Which parameters the request with a given index carries, besides those of the URL.

    With nothing asked for, it carries `kab=INDEX`, so that caches don't answer.
    """

    fields: Fields = ruled((), _gathered, FIELD, shown=_starred_fields)
    """Names with the values that each is cycled through."""
    rows: Rows = option(
        (),
        _rows,
        spelling="--fields-file",
        source="content",
        help="CSV with a header, or JSON Lines: query parameters, a row a request, in turns.",
        example=Example("--fields-file {csv}", "?from=file", "sent"),
        shown=_starred_rows,
        usual=lambda variation: variation.rows,  # no command can have them
    )
    unique: tuple[str, ...] = options(
        (),
        str,
        spelling="--vary NAME",
        help="Query parameter with a value of its own in each request.",
        example=Example("--vary own --seed 1", "?own=00000001-1", "sent"),
        shown=True,
    )
    counter: bool = switch(
        default=True,
        spelling="--no-vary",
        help="Don't add kab=i to the i-th request where nothing else varies it.",
        example=Example("--no-vary", "GET / HTTP/1.1", "sent"),
        shown=True,
        usual=lambda variation: not variation.varies,
    )
    """Whether requests carry `kab=INDEX`: never where they vary in another way."""
    _encoded_fields: tuple[tuple[str, ...], ...] = field(init=False, repr=False, compare=False)
    _encoded_rows: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Encode every value once: a request then only picks."""
        if self.varies:
            object.__setattr__(self, "counter", False)
        if any(not values for _, values in self.fields):
            raise UsageError("A varying parameter needs at least one value.")
        fields = tuple(
            tuple(_pair(name, value) for value in values) for name, values in self.fields
        )
        object.__setattr__(self, "_encoded_fields", fields)
        rows = tuple("&".join(_pair(*parameter) for parameter in row) for row in self.rows)
        object.__setattr__(self, "_encoded_rows", rows)

    @property
    def varies(self) -> bool:
        """Whether parameters are asked for that differ from request to request."""
        return bool(self.fields or self.rows or self.unique)

    def query(self, index: int, token: str) -> str:
        """The parameters of the request with an index, encoded; warm-ups have indexes below 0.

        `token` makes unique values differ from those of other runs.
        """
        if self.counter:
            return f"{COUNTER}={index}"
        parts = [values[index % len(values)] for values in self._encoded_fields]
        if self._encoded_rows:
            parts.append(self._encoded_rows[index % len(self._encoded_rows)])
        parts += [_pair(name, f"{token}-{index}") for name in self.unique]
        return "&".join(part for part in parts if part)

    def shown(self, index: int, token: str) -> str:
        """The same for people, secrets starred."""
        return redacted_query(self.query(index, token))


def _pair(name: str, value: str) -> str:
    try:
        return f"{quote(name, safe='')}={quote(value, safe='')}"
    except UnicodeEncodeError:
        raise UsageError(
            f"The parameter {quoted(name)} has bytes that are no UTF-8: write them "
            "percent-encoded, into the URL."
        ) from None
