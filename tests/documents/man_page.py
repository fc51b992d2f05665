"""docs/kab.1, the manual page, from the same declarations as the help texts."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING

import click
from documents.command_line import meaning, usage_of, value_name

from keepalive_bench import __version__
from keepalive_bench.cli import kab
from keepalive_bench.cli.options import Declared
from keepalive_bench.plan.options import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

_TITLES = {
    "Exit codes": "EXIT STATUS",
    "Every option": "ENVIRONMENT",
}
"""What paragraphs of `kab --help` begin with, and the sections that they are here."""
_MARKED = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\`", "~": r"\(ti", "^": r"\(ha"}


def page() -> str:
    """The whole page."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    group = click.Context(kab, info_name="kab", **kab.context_settings)
    commands = {name: kab.get_command(group, name) for name in kab.list_commands(group)}
    yield '.\\" Derived from the declarations of the options: make docs'
    yield f'.TH KAB 1 "" "kab {__version__}" "User Commands"'
    yield from (".SH NAME", rf"kab \- {_said(_first_line(kab))}")
    yield ".SH SYNOPSIS"
    for name, command in commands.items():
        assert command is not None
        several = (usage_of(it) for it in command.params if isinstance(it, click.Argument))
        yield rf".B kab {name}"
        yield f"{_said(' '.join(('[OPTIONS]', *several)))}\n.br"
    yield from (r".B kab", r"[\fB\-h\fR | \fB\-V\fR]")
    run = {_told(it) for it in _declared(commands["run"])}
    for name, command in commands.items():
        assert command is not None
        yield f'.SH "KAB {name.upper()}"'
        yield from _paragraphs(command.help or "")
        yield from _arguments(command)
        yield from _options(command, known=set() if name == "run" else run)
        yield from _paragraphs(command.epilog or "")
    for paragraph in cleandoc(kab.epilog or "").split("\n\n"):
        found = next((it for it in _TITLES if paragraph.startswith(it)), None)
        if found is not None:
            yield f'.SH "{_TITLES[found]}"'
            yield _said(" ".join(paragraph.split()))


def _arguments(command: click.Command) -> Iterator[str]:
    for it in command.params:
        if isinstance(it, click.Argument):
            yield from (".TP", rf"\fI{_said(value_name(it))}\fR", _said(meaning(it, markup=False)))


def _options(command: click.Command, known: set[tuple[str, str]]) -> Iterator[str]:
    """The options below their headings; those that `kab run` has just so are only named."""
    options = list(_declared(command))
    alike = [it for it in options if _told(it) in known]
    for group in GROUPS:
        shown = [it for it in options if (it.declared.group or GROUPS[-1]) == group]
        shown = [it for it in shown if it not in alike]
        if shown:
            yield f'.SS "{group}"'
        for it in shown:
            yield ".TP"
            yield _spelling(it)
            yield _said(meaning(it, markup=False))
    if alike:
        yield '.SS "As in kab run"'
        yield f"{', '.join(map(_bold, (it.declared.flag for it in alike)))}."


def _declared(command: click.Command | None) -> Iterator[Declared]:
    return (it for it in (command.params if command else ()) if isinstance(it, Declared))


def _told(option: Declared) -> tuple[str, str]:
    return option.declared.spelling, option.declared.help


def _spelling(option: Declared) -> str:
    it = option.declared
    flags = ", ".join(map(_bold, filter(None, (*it.flags, it.off))))
    value = "" if it.form == "switch" else rf" \fI{_said(value_name(option))}\fR"
    return f"{flags}{value}"


def _bold(text: str) -> str:
    return rf"\fB{_said(text)}\fR"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in filter(None, cleandoc(text).split("\n\n")):
        if paragraph.startswith("\b"):
            lines = paragraph.removeprefix("\b").strip("\n").splitlines()
            yield from (".PP", ".nf", *map(_said, lines), ".fi")
        else:
            yield from (".PP", _said(" ".join(paragraph.split())))


def _first_line(command: click.Command) -> str:
    return cleandoc(command.help or "").partition("\n\n")[0].replace("\n", " ")


def _said(text: str) -> str:
    """Text whose characters are all roff's own, and none of them a request."""
    marked = "".join(
        _MARKED.get(it) or (it if it.isascii() else rf"\[u{ord(it):04X}]") for it in text
    )
    return re.sub(r"^(?=[.'])", r"\\&", marked)
