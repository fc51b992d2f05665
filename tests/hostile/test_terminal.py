"""What a hostile server says reaches the terminal and the log as text, wherever kab shows it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hostile.said import said
from server.wire import serving
from support.command import called
from support.orders import ORDERS, SHORT_ORDERS, orders_in

from keepalive_bench.server.faults.messages import HOSTILE_REASON

if TYPE_CHECKING:
    from pathlib import Path

_HARMLESS = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]*")
EVIL = "\x1b[2J[bold red]evil[/]\x9b31m\x07\r\xe9"

SAID = {
    **said(f"{SHORT_ORDERS} {EVIL} {ORDERS}"),
    "everywhere": {"fault": "hostile-text"},
    "everywhere, and closed": {"fault": "hostile-text", "connection_close": True},
    "in the reason": {"reason": HOSTILE_REASON},
}


@pytest.mark.parametrize("server", SAID.values(), ids=SAID)
def test_it_is_escaped_and_gives_no_order(server: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "results.json"
    with serving(**server) as process:
        done = called("run", process.url, "-n", "6", "-v", "--keep-going", "--json", str(target))
    assert done.code in {0, 1, 3}
    assert "Traceback" not in done.text
    assert _HARMLESS.fullmatch(done.text), repr(done.text)
    assert "[/]" not in done.text or "[bold red]" in done.text  # Rich took none of it
    assert not orders_in(done.text)
    assert not orders_in(target.read_text())
    json.loads(target.read_text())


def test_unasked_bytes_are_shown_in_finding_and_connection_line() -> None:
    with serving(fault="answer-twice", reason="[red]\x1b[2Jevil") as process:
        done = called("run", process.url, "-n", "4", "--arm", "pooled", "--verbose")
    shown = "HTTP/1.1 200 [red]\\x1b[2Jevil"
    assert shown in " ".join(done.out.split())
    (line, *_) = [line for line in done.lines if line.startswith("connection 1 ")]
    assert f"unsolicited-data ({shown}" in line
