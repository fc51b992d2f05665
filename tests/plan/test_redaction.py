"""Which parameters are starred, by their names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keepalive_bench.plan import redaction
from keepalive_bench.plan.redaction import is_secret_name

_PAGE = (Path(__file__).parents[2] / "docs/json-format.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        *("X-Amz-Security-Token", "clientsecret", "user[api_key][0]", "api+key", "SAMLart"),
        *("authorise", "author_token", "PHPSESSID", "passwort"),  # anywhere in the name
        *("card_pin", "code_verifier", "otp2", "connect.sid"),  # a word of its own
        *("subscription-key", "X-Amz-sig", "2fa_code", "code[0]", "code2"),  # the last word
        *("awsaccesskey", "user_pass"),  # the name's end
        *("accessKey", "APIKey", "userPass", "idToken", "pinCode"),  # words of camel case
    ],
)
def test_a_name_that_says_secret_is_one(name: str) -> None:
    assert is_secret_name(name)


def test_capitals_say_secret_too() -> None:
    assert is_secret_name("API_KEY")
    assert is_secret_name("CARD-PIN")


@pytest.mark.parametrize(
    "name",
    [
        *("", "[]", "q", "monkey", "design", "sigma"),  # a word's part is no word
        *("author", "coAuthor", "authority", "shipping", "opinion", "nonces", "inside"),
        *("key_id", "code_page", "passThrough", "passenger"),  # the word isn't the last one
        *("compass", "bypass", "encode"),
        *("countryCode", "zip-code", "error_code", "language-code[2]", "qr_code"),  # no secret's
    ],
)
def test_a_name_that_only_looks_like_one_is_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("anywhere", redaction.ANYWHERE),
        ("words", redaction.WHOLE_WORDS),
        ("last", redaction.LAST_WORDS),
        ("ends", redaction.ENDS),
        ("innocent", redaction.INNOCENT_CODES),
    ],
)
def test_the_page_lists_the_words(mark: str, words: tuple[str, ...]) -> None:
    listed = re.findall(rf"<!-- {mark} --> ((?:`[a-z]+`(?:, )?)+)", _PAGE)
    assert re.findall("[a-z]+", "".join(listed)) == list(words)
