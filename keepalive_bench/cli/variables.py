"""An environment variable for every option: `KAB_RUN_MAX_BODY` is `kab run --max-body`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Sequence


def named(parameter: click.Parameter) -> str:
    """What an option is called in variables and files: its longest spelling, without dashes."""
    if isinstance(parameter, click.Argument):
        return str(parameter.name)
    return max(parameter.opts, key=len).lstrip("-")


def with_variables(command: click.Command) -> click.Command:
    """Give each option of a command its variable; one that is empty is none.

    A value a line is what a repeatable option takes: Click splits at blanks, which makes three of
    a header. What only tells something and ends (`--list-faults`) has none.
    """
    for parameter in command.params:
        if not parameter.expose_value and getattr(parameter, "is_flag", False):
            continue
        name = f"KAB_{command.name}_{named(parameter)}"
        parameter.envvar = name.upper().replace("-", "_")
        if parameter.multiple or parameter.nargs != 1:
            parameter.type = _ONE_A_LINE
    return command


def origin(error: click.ClickException) -> str:
    """Where a value that an error is about comes from, if not from the command line."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is None or parameter is None:
        return ""
    source = context.get_parameter_source(parameter.name)
    if source is ParameterSource.ENVIRONMENT:
        return f"It is the value of {parameter.envvar}. "
    return "It is kept in the file of options. " if source is ParameterSource.DEFAULT_MAP else ""


class _OneALine(click.types.StringParamType):
    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return [line for line in rv.replace("\r\n", "\n").split("\n") if line]


_ONE_A_LINE = _OneALine()
