"""What Click complains about, as a sentence; it repeats what it was given, all of it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from keepalive_bench.units import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

_SHORT_OPTION = 2


def complaint(error: click.ClickException) -> str:
    """Its sentence, with the user's own input as kab's sentences have it."""
    message = error.format_message()
    for text in sorted(set(_given(error)), key=len, reverse=True):
        shown = shortened(text)
        if shown != text:
            for written in (text, repr(text)[1:-1]):
                message = message.replace(written, shown)
    return printable(message)


def _given(error: click.ClickException) -> Iterator[str]:
    """All that the user has said: on the command line, in the environment and in a file."""
    for word in sys.argv[1:]:
        option, _, value = word.partition("=")
        yield from (word, option, value, word[_SHORT_OPTION:])
    for name, value in os.environ.items():
        if name.startswith("KAB_"):
            yield from (value, *value.splitlines())
    context = getattr(error, "ctx", None)
    for value in ((context and context.default_map) or {}).values():
        yield from [value] if isinstance(value, str) else value if isinstance(value, list) else ()
