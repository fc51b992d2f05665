"""Which parameters are starred, by their names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keepalive_bench.plan import secret_names
from keepalive_bench.plan.secret_names import is_secret_name

_PAGE = (Path(__file__).parents[2] / "docs/json-format.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "X-Amz-Security-Token", "apikey", "api-key", "password", "key"),
        *("passwd", "sig", "X-Amz-Signature", "X-Goog-Credential", "client_secret", "sessionid"),
        *("auth", "subscription-key", "aws_access_key", "pass", "user_pass", "passphrase"),
        *("user[password]", "password_confirmation", "user[api_key][0]", "token[]", "passcode"),
        *("assertion", "client_assertion", "SAMLResponse", "SAMLRequest", "SAMLart", "code"),
        *("auth_code", "authCode", "verification-code", "2fa_code", "code[0]", "code2", "pin"),
        *("card_pin", "private", "bearer", "cookie", "cookies", "_csrf", "csrf"),
        *("XSRF", "nonce", "otp2", "totp", "otc", "cvv", "cvc2", "code_verifier", "connect.sid"),
        *("author_token", "authorization", "authorise", "awsaccesskey", "passwort"),
        *("accesskey", "private key", "api+key", "api key", "jwt", "id_jwt", "otp", "PHPSESSID"),
    ],
)
def test_a_name_that_says_secret_is_one(name: str) -> None:
    assert is_secret_name(name)
    assert is_secret_name(name.upper())


@pytest.mark.parametrize(
    "name",
    ["accessKey", "privateKey", "APIKey", "x-apiKey", "userPass", "passWord", "idToken", "pinCode"],
)
def test_a_name_in_camel_case_says_it_too(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("q", "page", "keyword", "monkey", "design", "signal", "keyboard", "compass", "bypass"),
        *("passenger", "passThrough", "key_id", "hotpot", "sigma", "", "[]", "-", "shipping"),
        *("country_code", "countryCode", "zipcode", "zip-code", "postcode", "currency-code"),
        *("status_code", "error_code", "language-code[2]", "opinion", "spin", "pinned", "encode"),
        *("unicode", "barcode", "qr_code", "code_page", "codec", "sidebar"),
        *("author", "authors", "authority", "coAuthor", "nonces", "inside"),
    ],
)
def test_a_name_that_only_looks_like_one_is_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("anywhere", secret_names.ANYWHERE),
        ("words", secret_names.WHOLE_WORDS),
        ("last", secret_names.LAST_WORDS),
        ("ends", secret_names.ENDS),
        ("innocent", secret_names.INNOCENT_CODES),
    ],
)
def test_the_page_lists_the_words(mark: str, words: tuple[str, ...]) -> None:
    listed = re.findall(rf"<!-- {mark} --> ((?:`[a-z]+`(?:, )?)+)", _PAGE)
    assert re.findall("[a-z]+", "".join(listed)) == list(words)
