"""Measure every server of the table and write `docs/servers.md` (`make servers`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.servers.measure import measure, version_of
from support.servers.table import CASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.servers.table import Case

DOCUMENT = Path(__file__).parents[2] / "docs" / "servers.md"
_HEAD = """\
# The servers people deploy

What their documentation says about keep-alive, and the reason that kab finds for each connection
it has to open after the first. Each row is measured against the real server: a few requests, one
at a time, on a pooled arm; where an idle timeout is set, the connection is once left idle until
the server has closed it. Timeouts are set short so that nobody has to wait.

`make servers` measures this table anew and writes this page; `make test-all` holds kab against it,
with the requests on each connection as the server itself saw them.

| Server | Version | Set to | Its documentation | Reason found | Requests per connection |
| --- | --- | --- | --- | --- | --- |
"""


def row(case: Case, version: str, reason: str, seen: Sequence[int]) -> str:
    cells = [
        f"[{case.server}]({case.page})",
        version,
        case.setting or "–",
        case.documented,
        f"`{reason}`",
        ", ".join(map(str, seen)),
    ]
    return f"| {' | '.join(cells)} |"


def measured_row(case: Case) -> str:
    version = version_of(case.server)
    assert version, f"{case.server} is not installed"
    measured = measure(case)
    return row(case, version, measured.reason, measured.seen)


def main() -> None:
    """Write the page when all is measured: one that fails leaves the old page as it was."""
    rows = []
    for case in CASES:
        rows.append(measured_row(case))
        sys.stderr.write(f"{rows[-1]}\n")
    DOCUMENT.write_text(_HEAD + "".join(f"{line}\n" for line in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
