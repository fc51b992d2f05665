"""What pytest says of watches where a test fails."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from keepalive_bench.errors import KabError
from keepalive_bench.trace.naming import origin_names
from keepalive_bench.trace.watch import Counted
from keepalive_bench.trace.watched import report_text, selected, why_opened
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.trace.usage import Usage
    from keepalive_bench.trace.watch import Seen


def told(seen: Seen, *, verbose: bool) -> str:
    """The report of a watch, which doesn't fail: it is shown beside another failure."""
    try:
        return report_text(seen.usage, columns=shutil.get_terminal_size().columns, verbose=verbose)
    except Exception as error:  # noqa: BLE001  # nothing of ours may hide that one
        return f"There is no report: {type(error).__name__}: {error}"


def compared(op: str, left: object, right: object) -> list[str] | None:
    """Why there were so many as an assertion didn't want; `None`: it is about something else."""
    for it in (left, right):
        if isinstance(it, Counted):
            return [f"{left!r} {op} {right!r}", *why_opened(it.usage)]
    return None


def excess(seen: Seen, most: int, origin: str | None) -> str:
    """That more connections were opened than may be, and why; empty: there weren't.

    `origin`: to which one, all its ports and schemes together; `None`: to each of them.
    """
    try:
        seen.connections(origin)
    except KabError as error:
        return str(error)
    usage = selected(seen.usage, origin)
    if origin is not None:
        groups = {printable(origin): usage}
    else:
        names = origin_names(usage.origins)
        alone = (usage._replace(origins=(it,)) for it in usage.origins)
        groups = dict(zip(names, alone, strict=True))
    return "\n".join(line for name, it in groups.items() for line in _excess(name, it, most))


def _excess(name: str, usage: Usage, most: int) -> Iterator[str]:
    opened = sum(it.connections for it in usage.origins)
    if opened > most:
        were = "connection was" if opened == 1 else "connections were"
        is_ = "is" if most == 1 else "are"
        yield f"{opened:,} {were} opened to {name}; at most {most:,} {is_} allowed."
        yield from why_opened(usage)[len(usage.origins) == 1 :]  # its name is said already
