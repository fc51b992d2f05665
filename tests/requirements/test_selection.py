"""`SELECTOR: EXPR`: which of several things a requirement is about."""

from __future__ import annotations

import pytest

from keepalive_bench.errors import UsageError
from keepalive_bench.requirements.selection import parse_selected, selection
from keepalive_bench.trace.requirements import trace_scopes


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("reuse>=90%", ""),
        ("api.example.com: reuse>=90%", "api.example.com"),
        ("api.example.com:443: reuse>=90%", "api.example.com:443"),
        ("https://api.example.com:443:\treuse>=90%", "https://api.example.com:443"),
        ("[::1]:8080: reuse>=90%", "[::1]:8080"),
        (" a: b : reuse>=90%", "a: b"),
    ],
)
def test_the_last_colon_that_a_blank_follows_separates(text: str, selector: str) -> None:
    found = selection(text)
    assert found.selector == selector
    assert text[found.start :].strip() == "reuse>=90%"


def test_a_requirement_keeps_its_text_and_has_the_name_of_what_it_is_about() -> None:
    found = parse_selected("a.example:80: latency_reused.p95 <= 50ms", trace_scopes())
    assert found == ("a.example:80: latency_reused.p95 <= 50ms", "latency_reused.p95_s", "<=", 0.05)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a.example: reus>=90%", 12, "did you mean reuse"),
        ("a.example: reuse>=90q", 21, "isn't a unit of it"),
        ("a.example: reuse", 17, "a comparison is missing"),
        ("a.example: >=90%", 11, "a name is missing before the comparison"),
        ("a.example: reuse>=120%", 19, "at most 1 (100 %)"),
        (": reuse>=90%", 1, "a name is missing before the colon"),
        ("a.example: processes>=2", 1, "processes is of the whole"),
        ("opened.new-cleint==0", 8, "did you mean opened.new-client"),
        ("a.example:80:reuse>=90%", 13, "put a blank after this colon"),
        ("speedup>=2", 1, "there is no 'speedup'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_in_the_whole_text(
    text: str, place: int, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_selected(text, trace_scopes())
    assert f"at character {place}: " in str(caught.value)
    assert said in str(caught.value)


def test_a_requirement_may_be_long_before_its_colon_and_not_behind_it() -> None:
    assert parse_selected(f"{'a' * 250}.example: reuse>=90%", trace_scopes())
    with pytest.raises(UsageError, match="can't be longer"):
        parse_selected(f"a.example: reuse>=0.{'9' * 200}", trace_scopes())
