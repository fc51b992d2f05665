"""What is said of connections that had to be opened again: on runs written down by hand."""

from __future__ import annotations

import pytest
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Answer, Ending, Failure


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
        "(pooled, 4 times; 3 reopened): a limit of 1 request would explain it, or the idle timeout "
        "that ended others."
    )


@pytest.mark.parametrize(
    ("served", "said", "setting"),
    [
        ((3, 3), "A limit of requests or of age does that", "keepalive_requests"),
        ((2, 5), "As these numbers differ, the cause is a maximum age", "keepalive_min_timeout"),
    ],
)
def test_closes_after_different_numbers_of_requests_are_no_limits_of_these(
    served: tuple[int, ...], said: str, setting: str
) -> None:
    """Gunicorn and Puma announce the ends of connections that a restart brings about."""
    script = Script("pooled", requests=sum(served) + 1)
    for count in (*served, 1):
        row = script.open("pooled")
        for number in range(count):
            closes = "close" if number == count - 1 else None
            answer = Answer("HTTP/1.1", connection=closes, server="nginx/1.28.0")
            script.send("pooled", 0.01, on=row, answer=answer)
        script.connections.ended(row, Ending("announced"), script.exchanges.began_s[-1])
    (found,) = (it for it in analyse(script.run()).findings if it.code == "server-close")
    assert said in found.advice
    assert setting in found.advice
