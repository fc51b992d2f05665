"""What a shell may offer to complete a command line; `docs/completion.md` says how to switch it on.

Click does it, but that bash breaks words at `=` and `:`, too, and kab's words have both in them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    split_arg_string,
)

from keepalive_bench.model.experiment import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

_BROKEN, _WHOLE = (
    'COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD',
    'COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="${COMP_WORDS[COMP_CWORD]}"',
)


def files(_context: click.Context, _option: click.Parameter, typed: str) -> list[Any]:
    """Whatever files there are: the shell knows them."""
    return [CompletionItem(typed, type="file")]


def arms(_context: click.Context, _option: click.Parameter, typed: str) -> list[Any]:
    """Kinds of arms, also after a label."""
    label, mark, kind = typed.rpartition("=")
    return [f"{label}{mark}{each}" for each in KINDS if each.startswith(kind)]


def words(known: Iterable[str], *, or_files: bool = False) -> Callable[..., list[Any]]:
    """Some words; where none of them fits, files if they would do, too."""

    def fitting(context: click.Context, option: click.Parameter, typed: str) -> list[Any]:
        found = [each for each in known if each.startswith(typed)]
        return found if found or not or_files else files(context, option, typed)

    return fitting


def answer() -> None:
    """Get ready to answer a shell; `kab` itself then does."""
    add_completion_class(_Bash)


class _Bash(BashComplete):
    """Click's own, but that the line comes as it was typed, with the part that bash completes."""

    source_template = BashComplete.source_template.replace(_BROKEN, _WHOLE)
    _kept = 0
    """How much of the last word bash leaves alone."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line, part = os.environ["COMP_WORDS"], os.environ["COMP_CWORD"]
        words = split_arg_string(line)
        last = "" if line[-1:].isspace() else words.pop()
        option, _, value = last.partition("=")
        typed = value if option.startswith("-") else last
        part = "" if part in {"=", ":"} else part
        if typed.endswith(part):
            self._kept = len(typed) - len(part)
        return words[1:], last

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value[self._kept :]}"
