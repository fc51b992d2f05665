"""Measure every server of the table and write `docs/servers.md` (`make servers`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.servers.measure import measure, measure_cured
from support.servers.table import CASES
from support.servers.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.servers.case import Case, Idle

DOCUMENT = Path(__file__).parents[2] / "docs" / "servers.md"
_HEAD = """\
# The servers people deploy

What their documentation says about keep-alive, and the reason that kab finds for each connection
it has to open after the first. Each row is measured against the real server: a few requests, one
at a time, on a pooled arm. Where an idle timeout is set, the connection is once left idle until the
server has closed it; where the server is told to restart, it is told so while the connection is
idle. Timeouts are set short so that nobody has to wait. With what stands under *Cured by*, the same
requests need one connection.

`make servers` measures this table anew and writes this page; `make test-all` holds kab against it,
with the requests on each connection as the server itself saw them.

"""
_COLUMNS = (
    *("Server", "Version", "Set to", "Its documentation", "Reason found"),
    *("Requests per connection", "Closed after", "Cured by"),
)


def row(case: Case, version: str, reason: str, seen: Sequence[int]) -> str:
    cells = [
        f"[{case.server}]({case.documentation})",
        version,
        case.setting or "–",
        case.documented,
        f"`{reason}`",
        ", ".join(map(str, seen)),
        _range(case.idle) if case.idle else "–",
        case.cure.setting if case.cure else "–",
    ]
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _range(idle: Idle) -> str:
    least, most = idle
    return f"{least:g} s" if least == most else f"{least:g}–{most:g} s"


def measured_row(case: Case) -> str:
    version = version_of(case.server)
    assert version, f"{case.server} is not installed"
    measured = measure(case)
    if case.cure is not None:
        assert measure_cured(case).seen == [case.requests], f"{case.name} isn't cured"
    return row(case, version, measured.reason, measured.seen)


def main() -> None:
    """Write the page when all is measured: one that fails leaves the old page as it was."""
    rows = []
    for case in CASES:
        rows.append(measured_row(case))
        sys.stderr.write(f"{rows[-1]}\n")
    table = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS)), *rows]
    DOCUMENT.write_text(_HEAD + "".join(f"{line}\n" for line in table), encoding="utf-8")


if __name__ == "__main__":
    main()
