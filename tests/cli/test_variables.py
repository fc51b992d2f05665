"""Every option of every command has an environment variable, and a place in a file of options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import pytest
from support.command import called

from keepalive_bench.cli import kab
from keepalive_bench.cli.options import TIME

_COMMANDS = kab.list_commands(click.Context(kab))
NEEDED = {
    "completion": ["bash"],
    "run": ["it"],
    "sweep": ["it"],
    "report": ["it"],
    "places": ["it"],
    "trace": ["it"],
    "compare": ["it"],
}
"""Arguments that a command can't do without."""
_TOLD_APART = {"config", "run"}  # they lead to the file itself; see test_configuration.py


def command_called(name: str) -> click.Command:
    command = kab.get_command(click.Context(kab), name)
    assert command is not None
    return command


def options_of(name: str) -> list[click.Parameter]:
    """All parameters of a command that a value can be given to."""
    return [
        parameter
        for parameter in command_called(name).params
        if parameter.expose_value and parameter.name not in _TOLD_APART
    ]


def sample(parameter: click.Parameter) -> str:
    """A value that no option has by default; what it means is of no concern here."""
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[-1])
    if isinstance(parameter.type, click.types.IntParamType):
        return "77"
    if parameter.type is TIME:
        return "0.625"
    if isinstance(parameter.type, click.Path):
        return __file__
    return "a b: 7%"


def parsed(name: str, *arguments: str, file: str | None = None) -> dict[str, Any]:
    """What a command makes of its options."""
    if file is not None:
        Path("kab.toml").write_text(file, "utf-8")
    parent = click.Context(kab, info_name="kab", **kab.context_settings)
    context = command_called(name).make_context(name, [*arguments], parent=parent)
    return context.params


def on_command_line(name: str, parameter: click.Parameter) -> list[str]:
    if isinstance(parameter, click.Argument):
        return [*NEEDED.get(name, [])[: parameter.name == "news"], sample(parameter)]
    needed = NEEDED.get(name, [])
    option = max(parameter.opts, key=len)
    if getattr(parameter, "is_flag", False):
        return [option, *needed]
    if parameter.multiple:
        return [option, sample(parameter), option, "c, d", *needed]
    return [option, sample(parameter), *needed]


def kind_of(parameter: click.Parameter) -> tuple[object, ...]:
    """What makes Click, or kab, treat it otherwise than others."""
    is_flag = getattr(parameter, "is_flag", False)
    return (
        *(type(parameter) is click.Argument, is_flag, bool(parameter.secondary_opts)),
        *(parameter.multiple, parameter.nargs, type(parameter.type)),
    )


def one_of_each(names: list[str]) -> list[Any]:
    """A parameter of each kind that commands have."""
    found = {kind_of(it): (name, it) for name in names for it in options_of(name)}
    return [pytest.param(*it, id=f"{it[0]} {it[1].name}") for it in found.values()]


def test_every_parameter_has_a_variable_of_its_own() -> None:
    variables = [it.envvar for name in _COMMANDS for it in command_called(name).params if it.envvar]
    assert len(variables) == len(set(variables))
    without = {it.name for name in _COMMANDS for it in command_called(name).params if not it.envvar}
    assert without == {"list_faults"}


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in [each for each in os.environ if each.startswith("KAB_")]:
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(("name", "parameter"), one_of_each(_COMMANDS))
def test_the_variable_says_the_same_as_the_option(
    name: str, parameter: click.Parameter, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = on_command_line(name, parameter)
    expected = parsed(name, *arguments)
    variable = f"KAB_{name}_{parameter.name}".upper()
    if getattr(parameter, "is_flag", False):
        value = "1"
    else:
        value = f"{sample(parameter)}\nc, d" if parameter.multiple else sample(parameter)
    monkeypatch.setenv(variable, value)
    is_needed = isinstance(parameter, click.Argument) and parameter.name != "news"
    rest = [] if is_needed else NEEDED.get(name, [])
    assert parsed(name, *rest)[str(parameter.name)] == expected[str(parameter.name)]
    monkeypatch.setenv(variable, "")
    default = parsed(name, *NEEDED.get(name, []))
    monkeypatch.delenv(variable)
    assert default == parsed(name, *NEEDED.get(name, []))


@pytest.mark.parametrize(("name", "parameter"), one_of_each(["run", "sweep"]))
def test_the_file_says_the_same_as_the_option(name: str, parameter: click.Parameter) -> None:
    expected = parsed(name, *on_command_line(name, parameter))
    if getattr(parameter, "is_flag", False):
        value = "true"
    elif parameter.multiple:
        value = f'["{sample(parameter)}", "c, d"]'
    elif isinstance(parameter.type, click.types.IntParamType):
        value = sample(parameter)
    else:
        value = f'"{sample(parameter)}"'
    dashed = str(parameter.name).replace("_", "-")
    rest = [] if isinstance(parameter, click.Argument) else NEEDED[name]
    found = parsed(name, *rest, file=f"{dashed} = {value}")
    assert found[str(parameter.name)] == expected[str(parameter.name)]
    assert parsed(name, *rest, file=f"{parameter.name} = {value}") == found


def test_a_value_a_line_whatever_ends_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAB_RUN_HEADER", "A: b c\r\n\nD: e\x85 f\n")
    assert parsed("run", "it")["header"] == ("A: b c", "D: e\x85 f")


@pytest.mark.parametrize(("said", "meant"), [("0", False), ("no", False), ("true", True)])
def test_a_variable_switches_a_pair_of_options_either_way(
    said: str, meant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAB_RUN_BLOCK", said)
    monkeypatch.setenv("KAB_RUN_TCP_NODELAY", said)
    found = parsed("run", "it")
    assert (found["block"], found["tcp_nodelay"]) == (meant, meant)


def test_an_error_names_the_variable_or_the_file_that_it_comes_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAB_RUN_TIMEOUT", "soon")
    done = called("run", "http://127.0.0.1/")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "It is the value of KAB_RUN_TIMEOUT." in done.err
    assert "KAB_RUN" not in called("run", "http://127.0.0.1/", "-t", "soon").err
    monkeypatch.delenv("KAB_RUN_TIMEOUT")
    Path("kab.toml").write_text("order = 'random'", "utf-8")
    assert "It is kept in the file of options." in called("run", "http://127.0.0.1/").err
