"""`kab completion SHELL`: the script that has a shell ask kab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepalive_bench.cli.options import Command
from keepalive_bench.cli.shells import SHELLS

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked


@click.command(
    "completion",
    cls=Command,
    options=(),
    short_help="Print the script that has a shell complete kab's command lines.",
)
@click.argument("shell", metavar="SHELL", type=click.Choice(tuple(SHELLS)))
def command(_: Asked, shell: str) -> None:
    """Print the script that has bash, zsh or fish complete kab's command lines.

    \b
    bash, in ~/.bashrc:  eval "$(kab completion bash)"
    zsh, in ~/.zshrc:    eval "$(kab completion zsh)"
    fish:                kab completion fish > ~/.config/fish/completions/kab.fish
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    kab = click.get_current_context().find_root().command
    click.echo(SHELLS[shell](kab, {}, "kab", "_KAB_COMPLETE").source())
