"""The words of a pasted command are those that its shell would hand to curl."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalive_bench.cli.curl.words import words_of
from keepalive_bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Part = tuple[Callable[[str], str], str]

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
SIGNS = st.text("ab é!\"'\\$`^%&|<>(){}[]#~;\n\t😀", max_size=12)


def in_double(text: str) -> str:
    """Double quotes, in which bash takes four characters for something else."""
    return '"' + re.sub(r'([$`"\\])', r"\\\1", text) + '"'


def in_ansi(text: str) -> str:
    """Bash's `$'…'`, every character escaped in another way."""
    hexadecimal = "".join(
        f"\\u{ord(it):04x}" if ord(it) < 0x10000 else f"\\U{ord(it):08x}" for it in text
    )
    return f"$'{hexadecimal}'"


def from_chrome(text: str) -> str:
    """As Chrome writes a word for bash: `$'…'` where there is a quote, a control character or !."""
    if not re.search(r"[\x00-\x1f\x7f-\x9f!']", text):
        return f"'{text}'"
    escaped = (
        text.replace("\\", r"\\").replace("'", r"\'").replace("\n", r"\n").replace("\r", r"\r")
    )
    coded = re.sub(r"[\x00-\x1f\x7f-\x9f!]", lambda it: f"\\u{ord(it[0]):04x}", escaped)
    return f"$'{coded}'"


def for_cmd(text: str) -> str:
    """As Firefox writes a word for cmd.exe, in `^"`, a caret before what might mean something."""
    quoted = re.sub(r"(\\*)\"", r'\1\1\\"', text)
    quoted = re.sub(r"(\\+)$", r"\1\1", quoted)
    careted = re.sub(r"[^a-zA-Z0-9\s_\-:=+~/.',?;()*`]", r"^\g<0>", quoted)
    return '^"' + re.sub(r"%(?=\w)", "%^", careted).replace("\n", "^\r\n\r\n") + '^"'


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([shlex.quote, in_double, in_ansi]), SIGNS), max_size=8))
def test_bash_makes_the_same_words(parts: list[Part]) -> None:
    # Every other word is joined to the one before.
    written = "".join(
        f"{'' if number % 2 else ' '}{quote(text)}" for number, (quote, text) in enumerate(parts)
    )
    said = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' curl{written and ' '}{written}"],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    assert words_of(f"curl {written}") == said.stdout.decode().split("\0")[:-1]


@given(st.lists(TEXTS, max_size=5))
def test_what_a_browser_quotes_is_what_was_meant(texts: list[str]) -> None:
    assert words_of(" \\\n  ".join(["curl", *map(from_chrome, texts)])) == ["curl", *texts]
    plain = [text.replace("\r", "") for text in ["x", *texts]]
    assert words_of(" ^\n  ".join(["curl", *map(for_cmd, plain)])) == ["curl", *plain]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"curl 'a' $'it\'s \u0021 \041 \x21 \u00e9'", ["curl", "a", "it's ! ! ! é"]),
        (r"curl $'\xc3\xa9\ud83d\ude00'", ["curl", "é😀"]),
        (r"curl $'\xe9'", ["curl", "\udce9"]),
        ("curl a\\\nb c#d ''", ["curl", "ab", "c#d", ""]),
        ('curl ^"https://h/?a=1^&b=^%^20^"', ["curl", "https://h/?a=1&b=%20"]),
        # Chrome's since 2024, and its earlier one, whose carets stand within quotes.
        (
            'curl ^"h^" ^\n  -H ^"ua: ^\\^"C^\\^";v=^\\^"1^\\^"^"',
            ["curl", "h", "-H", 'ua: "C";v="1"'],
        ),
        ('curl "h" ^\n  -H "ua: ^\\^"C^\\^";v=^\\^"1^\\^""', ["curl", "h", "-H", 'ua: "C";v="1"']),
        ('curl "h?a&b" ^\r\n -H "x: ""y"""', ["curl", "h?a&b", "-H", 'x: "y"']),
        ('curl.exe ^"h^" -d ^"a"^\r\n\r\n"b^"', ["curl.exe", "h", "-d", "a\nb"]),
        ("curl h -d '^\"'", ["curl", "h", "-d", '^"']),
    ],
)
def test_words_of_real_commands(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("curl 'h", "isn't closed"),
        ('curl "h', "isn't closed"),
        ('curl ^"h', "isn't closed"),
        (r"curl $'h\'", "isn't closed"),
        ("curl h\\", "middle"),
        ("curl http://h/?a=1&b=2", "& outside of quotes"),
        ("curl h | jq .", "| outside of quotes"),
        ("curl h > f", "> outside of quotes"),
        ("curl h # all", "# outside of quotes"),
        ('curl "^%^20" h&b', "& outside of quotes"),
        ("curl $HOST", "variable"),
        ('curl -H "A: $TOKEN"', "variable"),
        ('curl "$(cat f)"', "variable"),
        ("curl `cat f`", "variable"),
        (r"curl $'\ud800'", "surrogate"),
        (r"curl $'\UFFFFFFFF'", "character"),
        (r"curl $'a\0b'", "NUL"),
        ('curl ^"h^"\ncurl ^"i^"', "one command"),
    ],
)
def test_what_only_a_shell_can_know_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        words_of(text)


@given(st.text("\"'\\$`^%&|<>(){}#~; \n\r\tacurlx01", max_size=40))
def test_any_text_has_words_or_is_refused(text: str) -> None:
    try:
        assert all(isinstance(it, str) for it in words_of(text))
    except UsageError as error:
        assert f"{error}".startswith("The command of --curl ")  # noqa: PT017  # either will do
