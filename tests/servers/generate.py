"""Measure every server of the table and write `docs/servers.md` (`make servers`).

`servers.probes` writes what a probe finds of them into `docs/probe.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from servers import probes
from support.servers.gateway import REQUESTS, outcome
from support.servers.measure import measure, measure_cured
from support.servers.rows.gateways import GATEWAYS
from support.servers.table import CASES
from support.servers.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.servers.case import Case, Idle
    from support.servers.gateway import GatewayCase

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
_GATEWAYS = """
## Gateways before a server that closes sooner

A gateway that keeps a connection to the server behind it for longer than that server does, or for
more requests, sends a request while the connection is being closed. Here the server's close meets
the request each time; elsewhere it does now and then. The client sees an answer of the gateway's,
or, where the gateway leaves it to the client to send the request again, that its own connection is
closed without an answer (`closed-before-response`), which looks as if the server, or the path, had
done it. The requests are POSTs: others, many gateways send again by themselves.

"""
_GATEWAY_COLUMNS = (
    *("Gateway", "Version", "Set to", "The server behind it keeps a connection for"),
    *("What the client sees", "Cured by"),
)
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


def gateway_row(case: GatewayCase, version: str) -> str:
    cells = [
        f"[{case.product.name}]({case.advised.page})",
        version,
        case.setting or "–",
        case.keeps.said,
        case.says if case.says.isdigit() else f"`{case.says}`",
        case.cure.setting,
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


def measured_gateway_row(case: GatewayCase) -> str:
    version = version_of(case.product.name)
    assert version, f"{case.product.name} is not installed"
    assert outcome(case, case.start).counts == {"200": REQUESTS - 1, case.says: 1}, case.name
    assert outcome(case, case.cure.start).counts == {"200": REQUESTS}, f"{case.name}: not cured"
    return gateway_row(case, version)


def main() -> None:
    """Write the page when all is measured: one that fails leaves the old page as it was."""
    rows = []
    for case in CASES:
        rows.append(measured_row(case))
        sys.stderr.write(f"{rows[-1]}\n")
    gateways = [measured_gateway_row(case) for case in GATEWAYS]
    page = f"{_HEAD}{_table(_COLUMNS, rows)}{_GATEWAYS}{_table(_GATEWAY_COLUMNS, gateways)}"
    DOCUMENT.write_text(page, encoding="utf-8")
    probes.write()


def _table(columns: Sequence[str], rows: Sequence[str]) -> str:
    lines = [_line(columns), _line(["---"] * len(columns)), *rows]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
