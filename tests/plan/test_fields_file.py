"""Rows of parameters: CSV and JSON Lines."""

from __future__ import annotations

import pytest

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import File
from keepalive_bench.plan.variation import parse_rows


def _rows(text: str | bytes, name: str = "fields.csv") -> object:
    return parse_rows(File(name, text if isinstance(text, bytes) else text.encode()))


def test_csv_has_names_in_its_first_row() -> None:
    assert _rows("q,v\npython,1\nphp,2\n") == (
        (("q", "python"), ("v", "1")),
        (("q", "php"), ("v", "2")),
    )


def test_csv_quotes_commas_quotes_and_line_ends() -> None:
    text = 'q\n"a,b"\n"say ""hi"""\n"two\r\nlines"\n'
    assert _rows(text) == (
        (("q", "a,b"),),
        (("q", 'say "hi"'),),
        (("q", "two\r\nlines"),),
    )


def test_csv_may_have_windows_line_ends_empty_lines_and_a_byte_order_mark() -> None:
    assert _rows(b"\xef\xbb\xbfq,v\r\n\r\na,\r\n") == ((("q", "a"), ("v", "")),)


def test_csv_may_name_a_parameter_twice() -> None:
    assert _rows("q,q\na,b\n") == ((("q", "a"), ("q", "b")),)


def test_json_lines_have_an_object_a_line() -> None:
    text = '{"q": "python", "v": 1}\n\n{"q": "ä", "v": 1.5}\n'
    assert _rows(text, "fields.jsonl") == (
        (("q", "python"), ("v", "1")),
        (("q", "ä"), ("v", "1.5")),
    )


def test_json_is_told_by_its_look_where_the_name_says_nothing() -> None:
    assert _rows('{"q": "a"}\n', "fields") == ((("q", "a"),),)
    assert _rows(b'\xef\xbb\xbf{"q": "a"}\n', "fields") == ((("q", "a"),),)


def test_a_list_repeats_the_name_null_leaves_it_out_and_true_is_jsons() -> None:
    text = '{"q": ["a", 2, null], "v": null, "w": true, "x": []}\n'
    assert _rows(text, "f.ndjson") == ((("q", "a"), ("q", "2"), ("w", "true")),)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("f.csv", "q,v\na,b\nc\n", "line 3: 1 values? for 2 names"),
        ("f.csv", 'q\n"a\n', "line 2: "),
        ("f.csv", "q,v\n", "has no rows"),
        ("f.csv", b"q\n\xff\n", "not UTF-8 at byte 3"),
        ("f.jsonl", '{"q": "a"}\n{"q": \n', "line 2: "),
        ("f.jsonl", '{"q": "a"}\n["q"]\n', "line 2: a row is an object"),
        ("f.jsonl", '{"q": {"a": 1}}\n', "line 1: .*object"),
        ("f.jsonl", '{"q": [{"a": 1}]}\n', "line 1: .*object"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(name: str, text: str | bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        _rows(text, name)
    assert name in str(caught.value)
    assert "--fields-file" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_a_line_feed_ends_a_line_of_json() -> None:
    text = '{"q": "a\u2028b\x85c"}\r\n'  # legal in a JSON string, RFC 8259, section 7
    assert _rows(text, "f.jsonl") == ((("q", "a\u2028b\x85c"),),)


def test_json_too_deep_to_read_is_an_error_too() -> None:
    with pytest.raises(UsageError, match="line 1"):
        _rows('{"q": ' + "[" * 100_000, "f.jsonl")
