"""What a shell may offer to complete a command line, and the script that has it ask.

Click does it, but for words that have `=` or `:` in them: `--order=pa`, `--arm fast=po`, a URL.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from keepalive_bench.plan.arms import KINDS
from keepalive_bench.plan.probing import BEHAVIOUR_GROUPS
from keepalive_bench.server import CERTIFICATES, FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS: dict[str, Iterable[str]] = {"arm": KINDS, "fault": FAULTS, "certificate": CERTIFICATES}
_BROKEN, _WHOLE = (
    'COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD',
    'COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="${COMP_WORDS[COMP_CWORD]}"',
)


def offered(option: str, typed: str) -> list[CompletionItem]:
    """Words for an option that takes others, too; those for arms also after a label."""
    label, mark, word = typed.rpartition("=") if option == "arm" else ("", "", typed)
    if option == "behaviours":
        label, mark, word = typed.rpartition(",")
    known = [it for it in _words(option) if it.startswith(word)]
    return [CompletionItem(f"{label}{mark}{it}") for it in known]


def _words(option: str) -> Iterable[str]:
    if option == "behaviours":
        return (it.name for it in BEHAVIOUR_GROUPS)
    if option == "server":
        from keepalive_bench.connections.products import PRODUCTS  # noqa: PLC0415  # others do without

        return (it.word for it in PRODUCTS)
    if option == "behind":
        from keepalive_bench.probe.analysis.behind import known_balancers  # noqa: PLC0415  # the same

        return known_balancers()
    return _WORDS.get(option, ())


def files(typed: str) -> list[CompletionItem]:
    """What leaves it to the shell to offer files."""
    return [CompletionItem(typed, type="file")]


def commands(typed: str) -> list[CompletionItem]:
    """Programs on PATH whose names begin so; none where nothing is typed, or a path."""
    if not typed or os.sep in typed:
        return []
    found: set[str] = set()
    for place in os.get_exec_path():
        with suppress(OSError):
            found.update(it for it in os.listdir(place) if it.startswith(typed))  # noqa: PTH208  # 1,000s of names, of which few are wanted
    return [CompletionItem(it) for it in sorted(found)]


def answer() -> None:
    """Get ready to answer a shell; `kab` itself then does. By hand, there is no line yet."""
    os.environ.setdefault("COMP_WORDS", "kab ")
    os.environ.setdefault("COMP_CWORD", "1")
    for each in SHELLS.values():
        add_completion_class(each)


class _Bash(BashComplete):
    """The line comes as it was typed, and the part that bash completes: it breaks at both signs."""

    source_template = BashComplete.source_template.replace(_BROKEN, _WHOLE)
    _kept = 0
    """How much of the last word bash leaves alone."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line, part = os.environ["COMP_WORDS"], os.environ["COMP_CWORD"]
        parts = split_arg_string(line)
        last = "" if line[-1:].isspace() else parts.pop()
        option, _, value = last.partition("=")
        typed = value if option.startswith("-") else last
        part = "" if part in {"=", ":"} else part
        if typed.endswith(part):
            self._kept = len(typed) - len(part)
        return parts[1:], last

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value[self._kept :]}"


class _Joined(ShellComplete):
    """An option that is joined to its value stays in front of it."""

    def get_completions(self, args: list[str], incomplete: str) -> list[Any]:
        option, mark, _ = incomplete.partition("=")
        items = super().get_completions(args, incomplete)
        if mark and option.startswith("-"):
            for item in items:
                item.value = option + mark + item.value
        return items


class _Zsh(_Joined, ZshComplete):
    pass


class _Fish(_Joined, FishComplete):
    """Help texts have commas in them, too."""

    source_template = FishComplete.source_template.replace('split ","', 'split --max 1 ","')


SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}
