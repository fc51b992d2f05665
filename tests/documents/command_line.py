"""docs/cli.md, from the help texts."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import kab
from keepalive_bench.cli.options import Declared

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
# The command line

Every command with its options and the environment variable of each, as `--help` tells them:
`make docs` writes this page from the help texts. What the command line leaves out is taken from the
environment, then from [a file of options](configuration.md). A repeatable
option takes one more value each time it is given, and its variable a value a line.

Values in upper case are yours to fill in. [Shells can complete all of it](completion.md).
"""
_ARGUMENTS = {
    "url": "The target.",
    "path": "The stored run.",
    "program": "The program to trace, and what it is given. The variable has a word a line.",
    "BASE.json...": "The earlier runs; without `--new`, the earlier run and those to compare with "
    "it. The variable has one a line.",
    "FILE...": "The results files of `kab run --json`, in any order. `NAME=FILE` names a place; a "
    "folder stands for all `*.json` and `*.json.gz` in it and below; `-` is standard input, with a "
    "run in each line. The variable has one a line.",
    "code": "The code or name to explain.",
    "shell": "The shell that asks.",
}
"""Click's arguments have no help text. They are called as in Python, or as the user reads them."""
_VERBATIM = "\b"
_MARKUP = re.compile(r"([\\*<|])")


def page() -> str:
    """The whole page."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    group = click.Context(kab, info_name="kab", **kab.context_settings)
    yield _HEAD
    names = kab.list_commands(group)
    yield from (f"- [`kab {name}`](#kab-{name})" for name in names)
    yield ""
    yield from _command("kab", kab, group)
    for name in names:
        command = kab.get_command(group, name)
        assert command is not None
        yield ""
        yield from _command(f"kab {name}", command, click.Context(command, parent=group))


def _command(name: str, command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (f"## `{name}`", "")
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    rest = [usage_of(each) for each in arguments]
    rest += ["COMMAND [ARGS]..."] if isinstance(command, click.Group) else []
    yield from ("```text", " ".join([name, "[OPTIONS]", *rest]), "```", "")
    texts = (command.help, command.epilog)
    for paragraph in [it for text in texts for it in cleandoc(text or "").split("\n\n")]:
        if paragraph:
            yield from (*_paragraph(paragraph), "")
    yield from _table(command.get_params(context))


def _paragraph(text: str) -> Iterator[str]:
    if text.startswith(_VERBATIM):
        yield from ("```text", text.removeprefix(_VERBATIM).strip("\n"), "```")
    else:
        yield escaped(" ".join(text.split()))


def _table(parameters: list[click.Parameter]) -> Iterator[str]:
    yield from ("| option | meaning | variable |", "| --- | --- | --- |")
    for parameter in parameters:
        yield f"| {spelling(parameter)} | {meaning(parameter)} | {variable(parameter)} |"


def spelling(parameter: click.Parameter) -> str:
    """How it is written, with what its value is called."""
    if isinstance(parameter, click.Argument):
        return _code(value_name(parameter))
    names = ", ".join(sorted(parameter.opts, key=len))  # older releases of Click shuffle some
    others = "".join(f" / {each}" for each in parameter.secondary_opts)
    value = "" if getattr(parameter, "is_flag", False) else f" {value_name(parameter)}"
    return _code(f"{names}{others}{value}")


def meaning(parameter: click.Parameter, *, markup: bool = True) -> str:
    """Its help text, and what else there is to know."""
    if not isinstance(parameter, click.Option):
        name = str(parameter.name)
        said = _ARGUMENTS[name if name in _ARGUMENTS else value_name(parameter)]
        return said if markup else said.replace("`", "")
    more = parameter.declared.more if isinstance(parameter, Declared) else ""
    repeatable = "Repeatable." if parameter.multiple else ""
    said, mark, default = (parameter.help or "").partition("[default")
    text = " ".join(f"{said} {more} {repeatable} {mark}{default}".split())
    return escaped(text) if markup else text


def variable(parameter: click.Parameter) -> str:
    """Its environment variable, where it has one."""
    return _code(str(parameter.envvar)) if parameter.envvar else ""


def value_name(parameter: click.Parameter) -> str:
    """What stands for its value."""
    return parameter.metavar or str(parameter.name).upper()


def usage_of(argument: click.Argument) -> str:
    """An argument in a line of usage; brackets say that it may be left out."""
    name = value_name(argument)
    return name if argument.required else f"[{name}]"


def escaped(text: str) -> str:
    """Text whose only markup is that of code."""
    return _MARKUP.sub(r"\\\1", text)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")  # GitHub takes a bare one for the end of the cell
