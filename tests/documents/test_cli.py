"""docs/cli.md is written from the help texts, and leaves no option of any command out."""

from __future__ import annotations

import html
import re
from functools import cache

import click
import cmarkgfm  # type: ignore[import-untyped]  # it has no types
import pytest
from documents.command_line import value_name
from documents.tables import DOCS

from keepalive_bench.cli import kab

_GROUP = click.Context(kab, info_name="kab", **kab.context_settings)
_COMMANDS = ("kab", *(f"kab {name}" for name in kab.list_commands(_GROUP)))
_TELLS_AND_ENDS = {"--help", "--version", "--list-faults"}
"""These have no variable: it would be set for good, and kab never do anything else."""


def parameters(command: str) -> list[click.Parameter]:
    name = command.partition(" ")[2]
    found = kab.get_command(_GROUP, name) if name else kab
    assert found is not None
    return found.get_params(_GROUP)


def words(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


@cache
def rows(command: str) -> list[list[str]]:
    """The table of a command as GitHub shows it."""
    section = (
        (DOCS / "cli.md")
        .read_text("utf-8")
        .partition(f"\n## `{command}`\n")[2]
        .partition("\n## ")[0]
    )
    table = cmarkgfm.github_flavored_markdown_to_html(section)
    shown = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in shown[1:]]


def named(row: list[str]) -> list[str]:
    """Spellings, then what the value is called."""
    return re.split("[ ,/]+", row[0])


def as_row(parameter: click.Parameter) -> tuple[list[str], str]:
    """What the table says of a parameter: its spellings, and its variable."""
    spellings = [*sorted(parameter.opts, key=len), *parameter.secondary_opts]
    if isinstance(parameter, click.Argument):
        spellings = [value_name(parameter)]
    return spellings, str(parameter.envvar) if _TELLS_AND_ENDS.isdisjoint(spellings) else ""


@pytest.mark.parametrize("command", _COMMANDS)
def test_each_option_has_a_row_and_no_other_has(command: str) -> None:
    found = parameters(command)
    several = [as_row(it) for it in found]
    assert [
        (named(row)[: len(spellings)], row[2])
        for row, (spellings, _) in zip(rows(command), several, strict=True)
    ] == several
    texts = [it.help or "" if isinstance(it, click.Option) else "The " for it in found]
    for row, text in zip(rows(command), texts, strict=True):
        said = text.replace("`", "").partition("  [default")[0]
        assert row[1].startswith(" ".join(said.split()))
