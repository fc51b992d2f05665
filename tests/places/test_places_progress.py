"""What whoever waits for many places is shown."""

from __future__ import annotations

import re
import sys
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console
from support.command import environment
from support.scripted_places import WHY, far_run
from support.terminals import at_terminal

from keepalive_bench.places.on_dask.work import Progress
from keepalive_bench.places.place import LostPlace
from keepalive_bench.places.report.progress import PlacesStatus, bars, lines
from keepalive_bench.plan.plan import Experiment, Plan, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAN = Plan(Target("http://api.example.com"), experiment=Experiment(requests=50))
_RUN = far_run(0.01, requests=5)
_INTERRUPTED = _RUN._replace(run_info=_RUN.run_info._replace(interrupted=True))
_LOST = LostPlace("gone", "tcp://gone:1", WHY)


def _status(count: int) -> PlacesStatus:
    return PlacesStatus([f"place-{number}" for number in range(count)], [_PLAN] * count)


def test_places_that_are_still_measuring_come_first_where_not_all_have_a_row() -> None:
    status = _status(30)
    for number in range(15):
        status.note(number, _RUN)
    rows = [*status.rows()]
    assert [name for name, *_ in rows] == [f"place-{n}" for n in (*range(15, 30), *range(5))]


def test_places_keep_their_order_where_all_have_a_row() -> None:
    status = _status(20)
    status.note(0, _RUN)
    assert [name for name, *_ in status.rows()] == [f"place-{n}" for n in range(20)]


def test_a_bar_is_full_only_where_all_was_measured() -> None:
    status = _status(4)
    status.note(0, _RUN)
    status.note(1, Progress(80))
    status.note(1, _LOST)
    status.note(2, Progress(25))
    status.note(2, _INTERRUPTED)
    status.note(3, Progress(50))
    assert [*status.rows()] == [
        ("place-0", 1.0, "done"),
        ("place-1", 0.0, "lost"),
        ("place-2", 0.25, "interrupted"),
        ("place-3", 0.5, "50 of 100"),
    ]


def test_the_last_line_tells_how_far_all_places_are() -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    with bars(console, _status(30)) as followed:
        followed(0, Progress(7))
        followed(1, _RUN)
        drawn = screen.getvalue().rstrip().splitlines()
    assert drawn[-1] == "7 of 3,000 requests, 1 of 30 places ended"


def test_a_name_in_brackets_is_no_markup() -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    with bars(console, PlacesStatus(["[red]a[/]b[/]"], [_PLAN])) as followed:
        followed(0, Progress(7))
    assert "[red]a[/]b[/]" in screen.getvalue()


def test_without_a_terminal_a_line_says_how_each_place_ended() -> None:
    said: list[str] = []
    followed = lines(_status(3), said.append)
    followed(0, _RUN)
    followed(1, _INTERRUPTED)
    followed(2, _LOST)
    assert said == [
        "place-0 is done. (1 of 3)",
        "place-1 was interrupted. (2 of 3)",
        f"place-2 is lost. {WHY} (3 of 3)",
    ]


_DRAWS = """\
from rich.console import Console
from keepalive_bench.places.on_dask.work import Progress
from keepalive_bench.places.place import LostPlace
from keepalive_bench.places.report.progress import PlacesStatus, bars
from keepalive_bench.plan.plan import Plan, Target
status = PlacesStatus([f"place-{it}" for it in range(30)], [Plan(Target("http://h"))] * 30)
print("before")
with bars(Console(), status) as followed:
    followed(0, LostPlace("place-0", "tcp://h:1", "gone"))
    followed(29, Progress(7))
print("after")
"""


def screens(text: str) -> Iterator[list[str]]:
    """What a terminal shows after each line that it gets, of the codes that move and erase."""
    lines, row = [""], 0
    for code in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if code == "\n":
            row += 1
            lines += [""] * (row == len(lines))
            yield [*lines]
        elif code.endswith("A") and code.startswith("\x1b"):
            row -= int(code[2:-1] or 1)
        elif code == "\x1b[2K":
            lines[row] = ""
        elif not code.startswith(("\x1b", "\r")):
            lines[row] += code
    yield lines


def test_more_places_than_a_terminal_has_rows_leave_nothing_behind_on_it() -> None:
    with at_terminal(sys.executable, "-c", _DRAWS, env=environment({"TERM": "xterm"})) as typist:
        assert typist.ended() == 0
        seen = [*screens(typist.seen)]
    fullest = max(seen, key=lambda it: sum(map(bool, it)))
    places = [line.split()[0] for line in fullest if line.startswith("place-")]
    assert places == [f"place-{it}" for it in range(1, 21)]
    assert "7 of 3,000 requests, 1 of 30 places ended" in fullest
    assert [it for it in seen[-1] if it] == ["before", "after"]
