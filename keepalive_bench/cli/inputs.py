"""What the user wrote, as values: each mistake gets one sentence that says where it is."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from keepalive_bench.cli.files import read_file, read_part
from keepalive_bench.errors import ENDING_SIGNALS, UsageError
from keepalive_bench.plan.experiment import Arm
from keepalive_bench.plan.limits import LARGEST_BODY
from keepalive_bench.units import filename, printable, quoted, size

if TYPE_CHECKING:
    from collections.abc import Sized
    from pathlib import Path

    from keepalive_bench.plan.variation import Parameter

_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_MOST_ROWS = 1_000_000
_SECONDS = {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
"""How large one may be is for whoever takes it to say."""
_DURATION = re.compile(rf"{_NUMBER} ?(ms|s|m|min|h|)")
_RATE = re.compile(rf"{_NUMBER}(?: ?/ ?(s|m|min|h))?")
_SHARE = re.compile(rf"{_NUMBER} ?(%?)")


def parse_header(text: str) -> tuple[str, str]:
    """`Name: value`."""
    name, colon, value = text.partition(":")
    if not colon:
        # It isn't shown: whatever it is, it may be a secret.
        raise UsageError("A header has no colon: write -H 'Name: value'.")
    return name.strip(), value.strip()


def parse_fields(texts: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """`NAME=VALUE` each; the values of one name are gathered, in the order given."""
    values: dict[str, list[str]] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark or not name:
            # It isn't shown either.
            raise UsageError("A field is not of the form NAME=VALUE (-f).")
        values.setdefault(name, []).append(value)
    return tuple((name, tuple(several)) for name, several in values.items())


def parse_arm(text: str) -> Arm:
    """`KIND` or `LABEL=KIND`."""
    label, mark, kind = text.rpartition("=")
    if mark and not label:
        raise UsageError(f"The arm {quoted(text)} has an empty label: write LABEL=KIND.")
    return Arm(kind, label)


def parse_duration(text: str, option: str = "--duration") -> float:
    """Seconds: `30s`, `1.5m`, `500ms`, `2h`; a number alone is of seconds."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise UsageError(f"{quoted(text)} isn't a duration: write 30s, 2m, 1h or 500ms ({option}).")
    return float(found[1]) * _SECONDS[found[2]]


class _Time(click.types.StringParamType):
    """Seconds: a number, however it is written, or a duration with a unit."""

    name = "time"

    def convert(
        self,
        value: Any,  # noqa: ANN401  # Click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401  # a float, where its parent has text
        """The seconds; an error of Click's own kind, which knows where the value comes from."""
        try:
            return float(value)
        except ValueError:
            pass
        try:
            return parse_duration(value)
        except UsageError:
            self.fail(f"{quoted(value)} isn't a duration: write 30s, 2m or 500ms.", param, ctx)


TIME = _Time()


def parse_pause(text: str) -> tuple[float, float]:
    """The shortest and the longest pause: `5s`, `1s-5s`."""
    least, dash, most = text.partition("-")
    shortest_s = parse_duration(least.strip(), "--think-time")
    return shortest_s, parse_duration(most.strip(), "--think-time") if dash else shortest_s


def parse_rate(text: str) -> float:
    """Requests a second: `200/s`, `12000/min`, `3600/h`; a number alone is a second's."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise UsageError(f"{quoted(text)} isn't a rate: write 200/s, 12000/min or 200 (--rate).")
    return float(found[1]) / _SECONDS[found[2] or "s"]


def parse_share(text: str) -> float:
    """`2%` or `0.02`."""
    found = _SHARE.fullmatch(text)
    if found is None:
        raise UsageError(f"{quoted(text)} isn't a precision: write 2% (--precision).")
    return float(found[1]) / (100 if found[2] else 1)


def parse_user(text: str) -> tuple[str, str]:
    """`USER:PASSWORD`; a password that is left out is asked for, where there is a terminal."""
    user, colon, password = text.partition(":")
    if colon:
        return user, password
    if not can_be_asked():
        raise UsageError(
            "-u has no password, and there is no terminal to ask for it: USER:PASSWORD."
        )
    return user, ask(f"Password of {printable(user)}")


def ask(what: str) -> str:
    """A secret, typed at the terminal.

    Signals raise meanwhile, rather than end kab at once, so that the terminal is left as it was.
    """
    heard = [it for it in ENDING_SIGNALS if signal.getsignal(it) is not signal.SIG_IGN]
    before = {it: signal.signal(it, signal.default_int_handler) for it in heard}
    try:
        return str(click.prompt(what, hide_input=True, err=True))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def can_be_asked() -> bool:
    """Whether there is somebody at a terminal, to type a password."""
    return sys.stdin is not None and sys.stdin.isatty()


def read_body(texts: tuple[str, ...]) -> bytes | None:
    """The request's body: given as text, `@FILE` byte for byte, `-` from standard input."""
    parts: list[bytes] = []
    for text in texts:
        parts.append(read_part(text, "-d"))
        if sum(map(len, parts)) > LARGEST_BODY:
            raise UsageError(f"The body is too large (-d): {size(LARGEST_BODY)} are the most.")
    return b"&".join(parts) if texts else None


def read_json(text: str) -> bytes:
    """A body of JSON, given like another one; refused where it is none."""
    body = read_part(text, "--json-body")
    try:
        json.loads(body)
    except RecursionError:
        raise UsageError("The body is no JSON (--json-body): it is nested too deep.") from None
    except ValueError as error:
        raise UsageError(f"The body is no JSON (--json-body): {error}.") from None
    except MemoryError:
        raise UsageError("The body needs more memory than there is (--json-body).") from None
    return body


def read_rows(path: Path | None) -> tuple[tuple[Parameter, ...], ...]:
    """Rows of parameters from CSV (its header names them) or JSON Lines (an object a line)."""
    if path is None:
        return ()
    try:
        text = read_file(path, "--fields-file").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{filename(path)} is not UTF-8 at byte {error.start + 1} (--fields-file)."
        ) from None
    is_json = path.suffix.lower() in _JSON_LINES or text.lstrip().startswith("{")
    rows = _json_rows(text, path) if is_json else _csv_rows(text, path)
    if not rows:
        raise UsageError(f"{filename(path)} holds no rows (--fields-file).")
    return rows


def _csv_rows(text: str, path: Path) -> tuple[tuple[Parameter, ...], ...]:
    rows: list[tuple[Parameter, ...]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(reader, [])
        for row in filter(None, reader):
            if len(row) != len(names):
                _refuse(path, reader.line_num, f"{len(row)} values for {len(names)} names")
            rows.append(tuple(zip(names, row, strict=True)))
            _check_count(rows, path)
    except csv.Error as error:
        _refuse(path, reader.line_num, str(error))
    return tuple(rows)


def _json_rows(text: str, path: Path) -> tuple[tuple[Parameter, ...], ...]:
    rows: list[tuple[Parameter, ...]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            _refuse(path, number, f"this is no JSON: {error}")
        if not isinstance(row, dict):
            _refuse(path, number, 'a row is an object, as in {"q": "python"}')
        rows.append(
            tuple(
                (name, value)
                for name, values in row.items()
                for value in _json_values(values, path, number)
            )
        )
        _check_count(rows, path)
    return tuple(rows)


def _check_count(rows: Sized, path: Path) -> None:
    if len(rows) > _MOST_ROWS:
        raise UsageError(f"{filename(path)} has more than {_MOST_ROWS:,} rows (--fields-file).")


def _json_values(value: Any, path: Path, number: int) -> list[str]:  # noqa: ANN401  # any JSON
    """A list repeats the name, `null` leaves it out."""
    if isinstance(value, list):
        return [text for part in value for text in _json_values(part, path, number)]
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        _refuse(path, number, "a parameter's value can't be an object")
    return [json.dumps(value)]


def _refuse(path: Path, line: int, what: str) -> NoReturn:
    raise UsageError(f"{filename(path)}, line {line}: {what} (--fields-file).")
