"""From text to a requirement; and what is said of text that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalive_bench import Arm, UsageError
from keepalive_bench.analysis import OPERATORS
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.names import all_names, resolve, scopes

if TYPE_CHECKING:
    from keepalive_bench.analysis import Operator
    from keepalive_bench.requirements.names import AnyMetric

TWO = tuple(scopes((Arm("pooled"), Arm("unpooled"))))


def numbers(metric: AnyMetric) -> st.SearchStrategy[float]:
    least = -(10**15) if metric.is_signed else 0
    if metric.unit in {"count", "bytes"}:
        return st.integers(least, 10**15).map(float)
    most = 1.0 if metric.unit in {"share", "points"} else 1e300
    return st.floats(least, most, allow_nan=False)


@given(
    data=st.data(),
    name=st.sampled_from(sorted(set(all_names(TWO)))),
    operator=st.sampled_from(OPERATORS),
)
def test_what_is_written_is_read_back(data: st.DataObject, name: str, operator: Operator) -> None:
    subject = resolve(name, TWO)
    assert subject is not None
    metric = subject.metric
    if metric.unit == "word":
        bound: float | str = data.draw(st.sampled_from(metric.words))
        text = f"{name} {operator} {bound}"
    else:
        bound = data.draw(numbers(metric).filter(lambda value: abs(value) < 1e300))
        text = f"{name} {operator} {bound!r}{'s' if metric.unit == 'seconds' else ''}"
    try:
        requirement = parse(text, TWO)
    except UsageError as error:
        said = "is measured" if operator in {"==", "!="} else "is a word"
        assert said in str(error)  # noqa: PT017  # which names and operators go together is known
    else:
        assert requirement == (text, subject.name, operator, bound)


@settings(max_examples=50)  # a name that is none is compared with all that there are
@given(st.text(max_size=60) | st.from_regex(r"[a-z0-9_.]{1,20}[<>=!]{1,3}[0-9a-zµ%.+-]{0,9}"))
def test_whatever_is_written_is_a_requirement_or_refused_in_one_line(text: str) -> None:
    try:
        parse(text, TWO)
    except UsageError as error:
        assert str(error).isprintable()  # noqa: PT017  # most texts are refused, and not all


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("pooled.p59<=50ms", 8, "did you mean pooled.p"),
        (" reasons.server-closed==0", 10, "did you mean reasons.server-close"),
        ("comparisons[1].speedup>=1", 1, "did you mean comparisons[0].speedup"),
        ("qqqq==1", 1, "kab explain requirements"),
        ("pooled>=1", 8, "has parts"),
        ("p95", 4, "put the whole in quotes"),
        ("", 1, "a comparison is missing"),
        ("<=5", 1, "a name is missing"),
        ("p95<=", 6, "nothing follows the <="),
        ("p95<=50", 6, "a unit is missing: write 50ms or 0.05s"),
        ("p95<=50 msec", 9, "'msec' isn't a unit"),
        ("p95<=nan", 6, "isn't a number"),
        ("p95<=1e999s", 6, "too large"),
        ("p95=<5ms", 4, "did you mean <=?"),
        ("speedup==2", 8, "is measured"),
        ("speedup>=150%", 13, "'%' isn't a unit"),
        ("REOPENED==0", 1, "there is no 'REOPENED'; did you mean reopened"),
        ("pooled.P95<=1s", 8, "'pooled' has no 'P95'; did you mean pooled.p95"),
        ("10<=reopened", 1, "the name comes first, and what it is compared with last."),
        ("reopened==0.5", 11, "isn't a whole number"),
        ("reopened==-1", 11, "reopened is a count, and never below 0."),
        ("max>=-5ms", 6, "max is never below 0."),
        ("reuse>=98", 8, "reuse is a share, and at most 1 (100 %): write 98%."),
        ("bytes_received<=1KB", 18, "'KB' isn't a unit"),
        ("verdict==fastr", 10, "did you mean faster?"),
        ("verdict>faster", 8, "is a word"),
    ],
)
def test_a_bad_expression_is_refused_with_the_place_of_the_fault(
    text: str, place: int, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text, TWO)
    assert f"at character {place}: " in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", ["saving.p95", "comparisons[0].pairs"])
def test_of_one_arm_it_is_said_that_there_is_nothing_to_compare_with(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(f"{name}>=1", tuple(scopes((Arm("pooled"),))))
    assert str(refused.value) == (
        f"In the requirement '{name}>=1', at character 1: '{name}' takes two arms, "
        "and there is one."
    )


def test_an_expression_as_long_as_a_book_is_not_repeated() -> None:
    with pytest.raises(UsageError, match=r"^A requirement can't be longer than 200 characters\.$"):
        parse("p95<=" + "9" * 8998, TWO)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("p95<=50ms", 0.05),
        ("p95<=0.05s", 0.05),
        ("p95<=50000\N{GREEK SMALL LETTER MU}s", 0.05),
        ("p95<=.5min", 30.0),
        ("latency_s.p95<=0.05", 0.05),
        ("phases_s.wait.per_request<=0.05", 0.05),
        ("run_info.wall_s<=0.05min", 3.0),
        ("saving>=-0", 0.0),
        ("correlation>=-1", -1.0),
        ("reuse>=98.75%", 0.9875),
        ("speedup>=1.5×", 1.5),
        ("bytes_received<=1.5MiB", 1.5 * 2**20),
        ("requests_per_second>=1e2/s", 100.0),
        ("connections<=+1e1", 10.0),
    ],
)
def test_units_are_those_that_people_write(text: str, bound: float) -> None:
    assert parse(text, TWO).bound == bound


def test_a_label_that_ends_in_s_says_nothing_of_seconds() -> None:
    for label in ("a_s", "wall_s", "max_s"):
        named = tuple(scopes((Arm("pooled", label),)))
        with pytest.raises(UsageError, match="a unit is missing"):
            parse(f"{label}.p95<=50", named)
