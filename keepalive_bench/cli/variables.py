"""An environment variable for every option: `KAB_RUN_MAX_BODY` is `kab run --max-body`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from keepalive_bench.units import quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PREFIX = "KAB_"
_ALIKE = 0.8
"""So much of a name that misses its command, `KAB_RNU_REQUESTS`, is another's."""
_LONGEST = 200


def with_variables(command: click.Command) -> click.Command:
    """Give each option of a command its variable; one that is empty is none.

    A value a line is what a repeatable option takes: Click splits at blanks, which makes three of
    a header. What only tells something and ends (`--list-faults`) has none.
    """
    for parameter in command.params:
        if not parameter.expose_value and getattr(parameter, "is_flag", False):
            continue
        parameter.envvar = f"{_PREFIX}{command.name}_{parameter.name}".upper()
        if parameter.multiple or parameter.nargs != 1:
            parameter.type = _Paths() if isinstance(parameter.type, click.Path) else _Texts()
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


def warn_of_strays(context: click.Context) -> None:
    """Say which variables look as if they were the command's, and are no option's."""
    group, name = context.command, context.invoked_subcommand
    given = [each for each, value in os.environ.items() if each[:4].upper() == _PREFIX and value]
    if not given or name is None or not isinstance(group, click.Group):
        return
    command = group.get_command(context, name)
    if command is not None:
        for sentence in strays(command, group.list_commands(context), given):
            click.echo(f"Warning: {sentence}", err=True)


def strays(command: click.Command, commands: Sequence[str], given: Iterable[str]) -> Iterator[str]:
    """A sentence for each variable that no option of a command has; its value may be a secret.

    Those of other commands are let be, and so is what resembles none: a program may have variables
    of its own that begin like kab's.
    """
    own = f"{_PREFIX}{command.name}_".upper()
    options = [str(it.envvar).removeprefix(own) for it in command.params if it.envvar]
    known = [f"{own}{option}" for option in options]
    for name in sorted(set(given) - set(known)):
        alike = name.upper()
        word, _, _ = alike.removeprefix(_PREFIX).partition("_")
        if alike.startswith(own):
            option = nearest(alike.removeprefix(own), options)
            meant = option and f"{own}{option}"
        elif nearest(word.lower(), commands) in {None, command.name}:
            meant = nearest(alike, known, _ALIKE)
            if meant is None:
                continue
        else:
            continue
        end = f"did you mean {meant}?" if meant else f"kab {command.name} --help lists the options."
        yield f"{shortened(name)} is ignored, as kab {command.name} has no such option; {end}"


def hint(name: str, known: Iterable[str]) -> str:
    """Which name may have been meant, as the end of a sentence; empty: none is near."""
    close = nearest(name, known)
    return f"; did you mean {quoted(close)}?" if close else ""


def nearest(name: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The one of some names that resembles another most, if it does by that share of it."""
    from difflib import get_close_matches  # noqa: PLC0415  # where all is well, nobody needs it

    return next(iter(get_close_matches(name[:_LONGEST], list(known), n=1, cutoff=alike)), None)


class _Lines:
    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return [line for line in rv.replace("\r\n", "\n").split("\n") if line]


class _Texts(_Lines, click.types.StringParamType):
    pass


class _Paths(_Lines, click.Path):
    pass
