"""Query parameters that vary from request to request, the same for every arm.

Rows of them are in a file: CSV, whose header names them, or JSON Lines, an object a line.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import quote

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example, Option, option, options, ruled, switch
from keepalive_bench.plan.redaction import is_secret_name, redacted_query
from keepalive_bench.plan.values import parse_parameter
from keepalive_bench.typed_json import fewest
from keepalive_bench.units import REDACTED, filename, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.options import Asked, File

Parameter = tuple[str, str]
Fields = tuple[tuple[str, Annotated[tuple[str, ...], fewest(1)]], ...]
Row = tuple[Parameter, ...]
Rows = tuple[Row, ...]
COUNTER = "kab"
_JSON_LINES = (".jsonl", ".ndjson", ".json")
_MOST_ROWS = 1_000_000


def _spelled(fields: Fields) -> Iterator[str]:
    return (f"{name}={value}" for name, values in fields for value in values)


FIELD = Option(
    form="repeatable",
    parse=parse_parameter,
    words=_spelled,
    spelling="-f, --field NAME=VALUE",
    help="Query parameter; a name's values take turns.",
    more="One name with several values: request by request the next.",
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


def parse_rows(file: File) -> Rows:
    """The rows in a file.

    Raises:
        UsageError: it holds none, or something else, with the line at fault.
    """
    name = filename(file.name)
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name} is not UTF-8 at byte {error.start + 1} (--fields-file)."
        ) from None
    is_json = file.name.lower().endswith(_JSON_LINES) or text.lstrip().startswith("{")
    read = _json_rows if is_json else _csv_rows
    rows = tuple(islice(read(text, name), _MOST_ROWS + 1))
    if not rows:
        raise UsageError(f"{name} has no rows (--fields-file).")
    if len(rows) > _MOST_ROWS:
        raise UsageError(f"{name} has more than {_MOST_ROWS:,} rows (--fields-file).")
    return rows


def _csv_rows(text: str, name: str) -> Iterator[Row]:
    import csv  # noqa: PLC0415  # few runs have any

    reader = csv.reader(filter(None, re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)), strict=True)
    try:
        names = next(reader, [])
        for row in filter(None, reader):
            if len(row) != len(names):
                _refuse(name, reader.line_num, f"{len(row)} values for {len(names)} names")
            yield tuple(zip(names, row, strict=True))
    except csv.Error as error:
        _refuse(name, reader.line_num, str(error))


def _json_rows(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            _refuse(name, number, f"this isn't JSON: {error}")
        if not isinstance(row, dict):
            _refuse(name, number, 'a row is an object, as in {"q": "python"}')
        yield tuple(
            (parameter, value)
            for parameter, values in row.items()
            for value in _json_values(values, name, number)
        )


def _json_values(value: Any, name: str, number: int) -> list[str]:  # noqa: ANN401  # any JSON
    """A list repeats the name, `null` leaves it out."""
    if isinstance(value, list):
        return [text for part in value for text in _json_values(part, name, number)]
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        _refuse(name, number, "a parameter's value can't be an object")
    return [json.dumps(value)]


def _refuse(name: str, line: int, what: str) -> NoReturn:
    raise UsageError(f"{name}, line {line}: {what} (--fields-file).")


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Which parameters the request with a given index carries, besides those of the URL.

    With nothing asked for, it carries `kab=INDEX`, so that caches don't answer.
    """

    fields: Fields = ruled((), _gathered, FIELD, shown=_starred_fields, json="parameters.fields")
    """`[name, [values]]`: parameters whose values are cycled through."""
    rows: Rows = option(
        (),
        parse_rows,
        spelling="--fields-file FILE",
        source="content",
        help="Rows of query parameters: CSV or JSON Lines.",
        more="A CSV has a header; requests take the rows in turns.",
        example=Example("--fields-file {csv}", "?from=file", "sent"),
        shown=_starred_rows,
        json="parameters.rows",
        usual=lambda plan: plan.request.variation.rows,  # no command can have them
    )
    """`[name, value]` pairs: one list a request, cycled through."""
    unique: tuple[str, ...] = options(
        (),
        str,
        spelling="--vary NAME",
        help="Query parameter that differs in each request.",
        example=Example("--vary own --seed 1", "?own=00000001-1", "sent"),
        shown=True,
        json="parameters.unique",
    )
    """Names that get a value of their own in each request."""
    counter: bool = switch(
        default=True,
        spelling="--no-vary",
        help="Don't add kab=i to requests that don't vary.",
        more="Without it, the i-th request has it where nothing else varies, so that no cache "
        "answers.",
        example=Example("--no-vary", "GET / HTTP/1.1", "sent"),
        shown=True,
        json="parameters.counter",
        usual=lambda plan: not plan.request.variation.varies,
    )
    """Whether request *i* carries `kab=i`: never where requests vary in another way."""
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
            f"The parameter {quoted(name)} has bytes that aren't UTF-8: write them "
            "percent-encoded, into the URL."
        ) from None
