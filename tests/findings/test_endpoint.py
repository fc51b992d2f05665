"""What is noticed of the endpoint, on runs written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.runs import URL, Script

from keepalive_bench import analyse
from keepalive_bench.plan.plan import Plan, Request, Target, Variation
from keepalive_bench.results.exchange import Answer

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding


def answered(
    *answers: str | None, variation: Variation | None = None, status: int = 200, asked: str = ""
) -> dict[str, Finding]:
    """Findings of a run whose answers say such things of a cache."""
    headers = ((asked, "1"),) if asked else ()
    plan = Plan(Target(URL), Request(variation=variation or Variation(), headers=headers))
    script = Script("pooled", plan=plan, requests=len(answers))
    row = script.open("pooled")
    for cache in answers:
        answer = Answer("HTTP/1.1", "text/html", cache=cache)
        script.send("pooled", 0.01, on=row, answer=answer, status=status)
    return {finding.code: finding for finding in analyse(script.run()).findings}


@pytest.mark.parametrize(
    "said",
    [
        "Age",
        "Hit from cloudfront",
        "TCP_MEM_HIT from a.example",
        "MISS, HIT",
        "REVALIDATED",
    ],
)
def test_answers_of_a_cache_are_found(said: str) -> None:
    finding = answered(*[said] * 4, *["MISS"] * 6)["cache-answered"]
    assert finding.severity == "warning"
    assert finding.evidence == {"cached": 4, "not_modified": 0, "answered": 10}
    assert "Of 10 responses, 4 came from a cache" in finding.text


@pytest.mark.parametrize(
    "said",
    [
        *(None, "DYNAMIC", "Average"),
        "MISS from white-proxy.example, MISS from stale.example",
    ],
)
def test_answers_of_the_server_are_none(said: str | None) -> None:
    assert "cache-answered" not in answered(*[said] * 10)


def test_one_in_a_hundred_is_not_worth_telling() -> None:
    assert "cache-answered" not in answered("HIT", *["MISS"] * 99)


@pytest.mark.parametrize(
    ("variation", "advice"),
    [
        (Variation(counter=False), "Without --no-vary"),
        (Variation(fields=(("q", ("a", "b")),)), "--vary NAME gives each request"),
        (Variation(unique=("u",)), "Cache-Control: no-cache"),
    ],
    ids=["nothing varies", "few values", "unique"],
)
def test_the_advice_fits_what_varies(variation: Variation, advice: str) -> None:
    assert advice in answered(*["HIT"] * 10, variation=variation)["cache-answered"].advice


def test_answers_without_a_page_are_found() -> None:
    finding = answered(*[None] * 10, status=304, asked="If-none-match")["cache-answered"]
    assert finding.evidence == {"cached": 0, "not_modified": 10, "answered": 10}
    assert "304 Not Modified" in finding.text
    assert finding.advice.startswith("Without If-None-Match")
    unasked = answered(*[None] * 10, status=304, asked="Accept")["cache-answered"]
    assert unasked.advice.startswith("The requests had no If-None-Match or If-Modified-Since")
