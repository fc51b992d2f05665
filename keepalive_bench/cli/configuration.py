"""Options kept in a file: `kab.toml`, or `[tool.kab]` in `pyproject.toml`; whole runs by name.

The command line goes before the environment, that before the file's named run, that before what the
file says of every run. A list isn't added to: the nearest one counts.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from keepalive_bench.cli.options import CURL, Immediate, rivals
from keepalive_bench.cli.reading import read_file
from keepalive_bench.cli.variables import hint
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example
from keepalive_bench.units import filename, quoted, shortened

_OWN_FILE, _SHARED_FILE = "kab.toml", "pyproject.toml"
_RUNS = "runs"
_LARGEST_BYTES = 2**20
_LARGEST_NUMBER = 2**64
_TYPES = {bool: "true or false", int: "a whole number", str: "text"}


def _configure(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401  # whatever the option's value is
    """Read the file when both options are known; Click takes them in the order they are given."""
    given = context.meta.setdefault(__name__, {})
    given[parameter.name] = value
    if context.resilient_parsing or len(given) < len(CONFIGURATION):
        return
    context.default_map = _options(context, given["config"], given["run"])


CONFIGURATION = (
    Immediate(
        parse=Path,
        source="file",
        spelling="--config FILE",
        help="Take options from a TOML file.  [default: kab.toml]",
        more="Or [tool.kab] in pyproject.toml, where kab is started.",
        group="Options",
        example=Example("--config {options}", "X-From: file", "sent"),
        act=_configure,
    ),
    Immediate(
        parse=str,
        spelling="--run NAME",
        help="A run that the file keeps, as [runs.NAME].",
        more="In pyproject.toml, [tool.kab.runs.NAME].",
        group="Options",
        example=Example("--config {options} --run named", "X-From: named run", "sent"),
        act=_configure,
    ),
)
"""They change the defaults of all other options."""


def _options(context: click.Context, path: Path | None, run: str | None) -> dict[str, Any]:
    """The options that a file keeps for a command, by the names of its parameters.

    Raises:
        UsageError: it can't be read; or something in it is no option, or no value for one.
    """
    found = _read(path) if path is not None else _find()
    if found is None:
        if run is not None:
            raise UsageError(
                f"There is no {_OWN_FILE} here, and no [tool.kab] in {_SHARED_FILE}, to keep a run "
                f"called {quoted(run)}: name a file (--config)."
            )
        return {}
    place, table = found
    runs = _table(table.pop(_RUNS, {}), f"{place}, {_RUNS}")
    chosen = {} if run is None else _named_run(runs, run, place)
    general = _checked(context, table, place)
    own = _checked(context, chosen, f"{place}, {_RUNS}.{shortened(run or '')}")
    excluded = rivals(context.command)
    overruled = {rival for name, value in own.items() if value for rival in excluded.get(name, ())}
    if CURL.name in own:
        overruled.add("url")  # it is for the run's own URL, with cookies and all
    return {name: it for name, it in general.items() if name not in overruled} | own


def _find() -> tuple[str, dict[str, Any]] | None:
    """The file in the folder where kab is started; a pyproject.toml only if it speaks of kab."""
    own, shared, found = Path(_OWN_FILE), Path(_SHARED_FILE), None
    if own.is_file():
        found = _read(own)
    elif shared.is_file() and b"kab" in _bytes(shared):
        found = _read(shared, optional=True)
    if found is not None:  # nobody named it
        click.echo(f"Options are taken from {found[0]}.", err=True)
    return found


def _bytes(path: Path) -> bytes:
    return read_file(path, "--config", _LARGEST_BYTES).content


def _read(path: Path, *, optional: bool = False) -> tuple[str, dict[str, Any]] | None:
    """The options in a file, and what to call the place; `optional`: `None` where it has none."""
    place = filename(path)
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")  # its forerunner
    text = _bytes(path)  # a UsageError is a ValueError, too
    try:
        document: dict[str, Any] = toml.loads(text.decode())
    except RecursionError:
        raise UsageError(f"{place} isn't TOML (--config): it is nested too deep.") from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UsageError(f"{place} isn't TOML (--config): {shortened(str(error))}.") from None
    if path.name != _SHARED_FILE:
        return place, document
    tools = _table(document.get("tool", {}), f"{place}, tool")
    if "kab" not in tools:
        if optional:
            return None
        raise UsageError(f"{place} has no table [tool.kab] (--config).")
    place = f"{place}, tool.kab"
    return place, _table(tools["kab"], place)


def _table(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{place} must be a table of options.")
    return value


def _named_run(runs: dict[str, Any], name: str, place: str) -> dict[str, Any]:
    if name not in runs:
        end = hint(name, runs) or "."
        raise UsageError(f"{place} keeps no run called {quoted(name)}{end}")
    return _table(runs[name], f"{place}, {_RUNS}.{shortened(name)}")


def _checked(context: click.Context, table: dict[str, Any], place: str) -> dict[str, Any]:
    """A table's options, by the names of the command's parameters; `kab run`'s alone are let be."""
    known = _parameters(context.command)
    group = context.parent.command if context.parent else None
    run = group.get_command(context, "run") if isinstance(group, click.Group) else None
    elsewhere = {} if run is None else _parameters(run)
    options = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in known:
            options[name] = _value(known[name], value, place, key)
        elif name not in elsewhere:
            meant = hint(key, (it.replace("_", "-") for it in known))
            _refuse(place, key, f"is no option{meant}")
    return options


def _parameters(command: click.Command) -> dict[str, click.Parameter]:
    return {f"{it.name}": it for it in command.params if it.expose_value}


def _value(parameter: click.Parameter, value: Any, place: str, key: str) -> Any:  # noqa: ANN401  # what TOML holds, what Click takes
    """A value that the option would take on the command line, too."""
    if parameter.multiple:
        several = value if isinstance(value, list) else [value]
        return [_text(each, place, key) for each in several]
    if getattr(parameter, "is_flag", False):
        return _of_type(bool, value, place, key)
    if isinstance(parameter.type, click.types.IntParamType):
        return _of_type(int, value, place, key)
    return _text(value, place, key)


def _of_type(kind: type, value: Any, place: str, key: str) -> Any:  # noqa: ANN401  # the same
    if type(value) is not kind:
        _refuse(place, key, f"must be {_TYPES[kind]}")
    if isinstance(value, int) and abs(value) >= _LARGEST_NUMBER:
        _refuse(place, key, "is too large a number")
    return value


def _text(value: object, place: str, key: str) -> str:
    """Text, or a number that stands for it, as in `tls-min = 1.2` and `expect-status = [200]`."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        _refuse(place, key, "must be text, or a list of texts where the option is repeatable")
    text = str(value)
    if "\0" in text:  # which no command line and no file's name can have
        _refuse(place, key, "has a NUL character")
    return text


def _refuse(place: str, key: str, sentence: str) -> NoReturn:
    end = "" if sentence.endswith("?") else "."
    raise UsageError(f"{place}: {quoted(key)} {sentence}{end}")
