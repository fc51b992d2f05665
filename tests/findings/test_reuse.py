"""What is said of connections that had to be opened again: on runs written down by hand."""

from __future__ import annotations

from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Ending, Failure


def test_a_limit_that_fits_beside_an_idle_timeout_is_told_as_the_one_that_it_is() -> None:
    script = Script("pooled", requests=11)
    for number in range(7):
        began_s = number * 3.0
        row = script.open("pooled", opened_s=began_s)
        script.send("pooled", 0.01, on=row, began_s=began_s)
        if number % 2:
            script.connections.ended(row, Ending("fin", 1.6, 0.5), began_s + 0.51)
        else:
            script.fail("pooled", 0.01, failure=Failure("closed-before-response", ""), on=row)
            script.connections.ended(row, Ending("failed"), began_s + 1.6)
    (undecided,) = (it for it in analyse(script.run()).findings if it.code == "undecided")
    assert undecided.text.endswith(
        "(pooled, 4 times): a limit of 1 request would explain it, and so may the idle timeout "
        "that others met."
    )
