"""Rows of parameters in a file: CSV, whose header names them, or JSON Lines, an object a line."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Sized

    from keepalive_bench.plan.options import File

Row = tuple[tuple[str, str], ...]
_JSON_LINES = (".jsonl", ".ndjson", ".json")
_MOST_ROWS = 1_000_000


def parse_rows(file: File) -> tuple[Row, ...]:
    """The rows in a file.

    Raises:
        UsageError: it holds none, or something else, with the line at fault.
    """
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{filename(file.name)} is not UTF-8 at byte {error.start + 1} (--fields-file)."
        ) from None
    is_json = file.name.lower().endswith(_JSON_LINES) or text.lstrip().startswith("{")
    rows = _json_rows(text, file.name) if is_json else _csv_rows(text, file.name)
    if not rows:
        raise UsageError(f"{filename(file.name)} holds no rows (--fields-file).")
    return rows


def _csv_rows(text: str, name: str) -> tuple[Row, ...]:
    rows: list[Row] = []
    reader = csv.reader(filter(None, re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)), strict=True)
    try:
        names = next(reader, [])
        for row in filter(None, reader):
            if len(row) != len(names):
                _refuse(name, reader.line_num, f"{len(row)} values for {len(names)} names")
            rows.append(tuple(zip(names, row, strict=True)))
            _check_count(rows, name)
    except csv.Error as error:
        _refuse(name, reader.line_num, str(error))
    return tuple(rows)


def _json_rows(text: str, name: str) -> tuple[Row, ...]:
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            _refuse(name, number, f"this is no JSON: {error}")
        if not isinstance(row, dict):
            _refuse(name, number, 'a row is an object, as in {"q": "python"}')
        rows.append(
            tuple(
                (parameter, value)
                for parameter, values in row.items()
                for value in _json_values(values, name, number)
            )
        )
        _check_count(rows, name)
    return tuple(rows)


def _check_count(rows: Sized, name: str) -> None:
    if len(rows) > _MOST_ROWS:
        raise UsageError(f"{filename(name)} has more than {_MOST_ROWS:,} rows (--fields-file).")


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
    raise UsageError(f"{filename(name)}, line {line}: {what} (--fields-file).")
