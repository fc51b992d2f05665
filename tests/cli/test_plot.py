"""The histograms of `kab run`: there unless they are not wanted, in what the terminal can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.command import called

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

_HEADING = "latency distribution"


def test_the_distributions_are_drawn_below_the_table(server: ServerProcess) -> None:
    done = called("run", server.url, "-n", "30")
    assert done.text.index("requests/s") < done.text.index(_HEADING)
    assert done.text.index(_HEADING) < done.text.index("where the time goes")


def test_no_plot_leaves_them_out(server: ServerProcess) -> None:
    assert _HEADING not in called("run", server.url, "-n", "30", "--no-plot").text


def test_too_few_answers_draw_nothing(server: ServerProcess) -> None:
    assert _HEADING not in called("run", server.url, "-n", "2").text
