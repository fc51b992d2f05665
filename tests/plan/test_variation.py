from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.document import plan_document
from keepalive_bench.plan.plan import Experiment, Plan, Request
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.variation import Variation

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = TEXT.filter(bool)
FIELDS = st.dictionaries(NAME, st.lists(TEXT, min_size=1, max_size=4), max_size=4).map(
    lambda values: tuple((name, tuple(several)) for name, several in values.items())
)
ROWS = st.lists(st.lists(st.tuples(NAME, TEXT), max_size=3).map(tuple), max_size=4).map(tuple)
UNIQUE = st.lists(NAME, max_size=3).map(tuple)
INDEXES = st.integers(-1000, 1_000_000)


def parsed(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))


@given(FIELDS, ROWS, UNIQUE, INDEXES)
def test_a_parser_of_queries_reads_what_was_meant(
    fields: tuple[tuple[str, tuple[str, ...]], ...],
    rows: tuple[tuple[tuple[str, str], ...], ...],
    unique: tuple[str, ...],
    index: int,
) -> None:
    query = Variation(fields=fields, rows=rows, unique=unique, counter=False).query(index, "t")
    meant = [(name, values[index % len(values)]) for name, values in fields]
    meant += rows[index % len(rows)] if rows else ()
    meant += [(name, f"t-{index}") for name in unique]
    assert parsed(query) == meant


@given(FIELDS, ROWS, INDEXES)
def test_a_query_is_plain_ascii_without_anything_that_ends_it(
    fields: tuple[tuple[str, tuple[str, ...]], ...],
    rows: tuple[tuple[tuple[str, str], ...], ...],
    index: int,
) -> None:
    query = Variation(fields=fields, rows=rows).query(index, "t")
    assert query.isascii()
    assert query.isprintable()
    assert not set(query) & set(" #?+\"'<>")


@given(st.integers(1, 7), st.integers(1, 7), INDEXES)
def test_values_come_round_each_name_by_itself(first: int, second: int, index: int) -> None:
    letters, digits = "abcdefg"[:first], "1234567"[:second]
    variation = Variation(fields=(("l", tuple(letters)), ("d", tuple(digits))))
    now = dict(parsed(variation.query(index, "")))
    assert now == dict(parsed(variation.query(index + first * second, "")))
    assert now["l"] == letters[index % first]
    assert now["d"] == digits[index % second]


def test_a_warm_up_counts_from_the_end_backwards() -> None:
    variation = Variation(fields=(("q", ("a", "b", "c")),))
    assert [variation.query(index, "") for index in (-2, -1, 0, 1)] == ["q=b", "q=c", "q=a", "q=b"]
    assert Variation().query(-1, "") == "kab=-1"


@given(st.sets(INDEXES, min_size=2, max_size=50), st.sampled_from(["t", "0000000a"]))
def test_unique_values_are_unique_among_requests_warm_ups_included(
    indexes: set[int], token: str
) -> None:
    variation = Variation(unique=("u",))
    assert len({variation.query(index, token) for index in indexes}) == len(indexes)


@given(st.integers(0, 2**64), st.integers(0, 2**64), INDEXES)
def test_unique_values_differ_between_runs_of_different_seeds(
    one: int, other: int, index: int
) -> None:
    plans = [
        Plan(
            Target("http://h/"),
            Request(variation=Variation(unique=("u",))),
            experiment=Experiment(seed=seed),
        )
        for seed in (one, other)
    ]
    assert (plans[0].path(index) == plans[1].path(index)) == (one == other)


def test_with_nothing_asked_for_a_counter_keeps_caches_from_answering() -> None:
    assert Variation().counter
    assert [Variation().query(index, "t") for index in range(3)] == ["kab=0", "kab=1", "kab=2"]


@pytest.mark.parametrize(
    "variation",
    [
        Variation(counter=False),
        Variation(fields=(("q", ("x",)),)),
        Variation(rows=((("q", "x"),),)),
        Variation(unique=("q",)),
    ],
)
def test_the_counter_is_not_added_where_it_is_not_wanted(variation: Variation) -> None:
    assert not variation.counter
    assert "kab" not in variation.query(0, "t")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h/", "/?kab=3"),
        ("http://h/a?x=1", "/a?x=1&kab=3"),
        ("http://h/a?x=1&", "/a?x=1&kab=3"),
        ("http://h/a?", "/a?kab=3"),
        ("http://h/a#f", "/a?kab=3"),
    ],
)
def test_parameters_of_the_url_stay(url: str, path: str) -> None:
    assert Plan(Target(url)).path(3) == path


@given(FIELDS, INDEXES)
def test_parameters_of_the_url_come_first(
    fields: tuple[tuple[str, tuple[str, ...]], ...], index: int
) -> None:
    variation = Variation(fields=fields, counter=False)
    plan = Plan(Target("http://h/a?x=1&x=2"), Request(variation=variation))
    meant = [(name, values[index % len(values)]) for name, values in fields]
    assert parsed(urlsplit(plan.path(index)).query) == [("x", "1"), ("x", "2"), *meant]


def test_without_variation_the_path_is_the_urls_own() -> None:
    plan = Plan(Target("http://h/a?x=1"), Request(variation=Variation(counter=False)))
    assert plan.path(0) == plan.path(1) == "/a?x=1"


def test_an_empty_row_adds_nothing() -> None:
    variation = Variation(rows=((), (("q", "x"),)))
    assert [variation.query(index, "t") for index in range(3)] == ["", "q=x", ""]


def test_a_name_without_values_is_refused() -> None:
    with pytest.raises(UsageError, match="needs at least one value"):
        Variation(fields=(("q", ()),))


@pytest.mark.parametrize(
    "broken", [{"fields": (("q", ("\udcff",)),)}, {"rows": ((("\ud800", "x"),),)}]
)
def test_text_that_no_encoding_has_is_refused(broken: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(UsageError) as caught:
        Variation(**broken)  # type: ignore[arg-type]  # two fields at once
    assert str(caught.value).isprintable()


def test_secret_values_are_sent_and_starred_where_they_are_shown() -> None:
    variation = Variation(
        fields=(("q", ("a", "b")), ("token", ("s1", "s2"))),
        rows=((("password", "s3"), ("page", "1")),),
    )
    plan = Plan(Target("http://h/?api_key=s4"), Request(variation=variation))
    assert plan.path(1) == "/?api_key=s4&q=b&token=s2&password=s3&page=1"
    assert plan.target.shown == "http://h/?api_key=***"
    assert variation.shown(1, "") == "q=b&token=***&password=***&page=1"


def test_a_document_has_the_shape_of_a_variation_and_none_of_its_secrets() -> None:
    variation = Variation(
        fields=(("q", ("a", "b")), ("token", ("s1", "s2"))),
        rows=((("password", "s3"), ("page", "1")),),
        unique=("u",),
    )
    plan = Plan(Target("http://h/"), Request(variation=variation))
    assert plan_document(plan)["parameters"] == {
        "fields": [["q", ["a", "b"]], ["token", ["***", "***"]]],
        "rows": [[["password", "***"], ["page", "1"]]],
        "unique": ["u"],
        "counter": False,  # no request carried it
    }
