from __future__ import annotations

import pickle

import pytest

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.redaction import redacted_query
from keepalive_bench.plan.target import Target

GOOD = {
    "http://example.com": ("http", "example.com", 80, "/"),
    "HTTP://Example.COM/A": ("http", "example.com", 80, "/A"),
    "http://example.com:8080/a/b?x=1&y=2": ("http", "example.com", 8080, "/a/b?x=1&y=2"),
    "http://example.com?x=1": ("http", "example.com", 80, "/?x=1"),
    "http://example.com/a?": ("http", "example.com", 80, "/a"),
    "http://example.com/?x=1#part?y=2": ("http", "example.com", 80, "/?x=1"),
    "http://[::1]:65535/": ("http", "::1", 65535, "/"),
    "https://[2001:DB8::1]/": ("https", "2001:db8::1", 443, "/"),
    "http://my_service.local/": ("http", "my_service.local", 80, "/"),
    "http://" + "x" * 63 + ".example/": ("http", "x" * 63 + ".example", 80, "/"),
    "http://" + "x." * 127 + "/": ("http", "x." * 127, 80, "/"),
    # https://datatracker.ietf.org/doc/html/rfc3490 by way of its usual example
    "http://bücher.example/": ("http", "xn--bcher-kva.example", 80, "/"),
    "http://h/?q=日本": ("http", "h", 80, "/?q=%E6%97%A5%E6%9C%AC"),
    "http://h/a%20b%2Fc": ("http", "h", 80, "/a%20b%2Fc"),
    'http://h/"<>|': ("http", "h", 80, "/%22%3C%3E%7C"),
    "http://h/a;b=1,2/@me:x!$'()*~": ("http", "h", 80, "/a;b=1,2/@me:x!$'()*~"),
}

BAD = {
    "": "has no scheme",
    "example.com": "The URL 'example.com' has no scheme: write it out, as in http://example.com.",
    "example.com:8080/a": "has no scheme: write it out, as in http://example.com:8080/a.",
    "http:/example.com": "needs two slashes",
    "ftp://example.com/": "kab speaks http and https, not 'ftp'",
    "http://": "names no host",
    "http://h:0/": "The port in 'http://h:0/' is not a number from 1 to 65535.",
    "http://h:eighty/": "is not a number from 1 to 65535",
    "http://::1/": "looks like an IPv6 address without brackets: write it as in http://[::1]",
    "http://[::1/": "can't be read",
    "http://[::g]/": "IPv6",
    "http://[::1]x/": "goes on behind its closing bracket",
    "http://[127.0.0.1]/": "is in brackets, and no IPv6 address",
    "http://[vF.a:b]:80/": "an IPvFuture address",
    "http://[v1]/": "is in brackets, and no IPv6 address",
    "http://h℀/": "can't be read",
    "http://" + "x" * 10_000 + "/": "can't be the name of a host",
    "http://" + "x" * 64 + ".example/": "can't be the name of a host",
    "http://a b/": "has a blank or control character at position 9: write it percent-encoded",
    "http://h/a b": "at position 11",
    "http://h/\x00": "at position 10",
    "http://h/\u2028": "at position 10",
    "http://h/\udcff": "at position 10",
    "http://a..b/": "can't be the name of a host",
    "http://" + "ü" * 70 + ".example/": "can't be the name of a host",
}

SECRET_URLS = (
    "http://joe:hunter2\N{FULLWIDTH COMMERCIAL AT}h/",
    "http://joe:hunter2\N{SMALL COMMERCIAL AT}h/",
    "http://joe#hunter2@h/",
    "http://hunter2:80#x@h/",
    "http://joe:80#hunter2@h/",
    "http://joe:/#?hunter2@h/",
    "http://joe:x hunter2#y@h/",
    "http://joe:[hunter2]@h/",
    "http://joe:hunter2℀@h/",
    "http://joe:hunter2@h℀/",
    "http://joe:hunter2%40h/",
    "http://joe:x@hunter2/y@h/",
    "http://hunter2?x@h/",
    "http://joe:x\\hunter2#y@h/",
    "http:joe:hunter2@h/",
    "hunter2:/x@h/",
    "http://joe:hunter2@",
    "http://joe:hunter2@h:port/",
    "http://joe:hunter2@h/a b",
    "http://joe:hunter2@::1/",
    "http://joe:hunter2@[::1/",
    "http://joe:hunter2@a..b/",
    "http://joe:x#hunter2@h/",
    "ftp://joe:hunter2@h/",
    "joe:hunter2@h/",
    "http://h:port/?token=hunter2",
    "h/?token=hunter2",
    "http://h:port/a;jsessionid=hunter2?x",
)


@pytest.mark.parametrize(("url", "parts"), GOOD.items())
def test_a_good_url_is_taken_apart(url: str, parts: tuple[str, str, int, str]) -> None:
    target = Target(url)
    assert (target.scheme, target.host, target.port, target.path) == parts


@pytest.mark.parametrize(("url", "sentence"), BAD.items())
def test_a_bad_url_gets_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target(url)
    said = str(caught.value)
    assert sentence in said
    assert said.isprintable()
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h:80/x", "http://h"),
        ("http://h:443/x", "http://h:443"),
        ("https://h:443/x", "https://h"),
        ("https://[::1]:8443/x", "https://[::1]:8443"),
    ],
)
def test_the_origin_names_the_port_where_it_is_not_the_schemes_own(url: str, origin: str) -> None:
    assert Target(url).origin == origin


def test_credentials_are_decoded() -> None:
    assert Target("http://joe:a%3Ab%40%2F@h/").credentials == ("joe", "a:b@/")
    assert Target("http://joe@h/").credentials == ("joe", "")
    assert Target("http://joe:p@ss@h/").credentials == ("joe", "p@ss")
    assert Target("http://h/@me").credentials is None


def test_credentials_are_never_shown() -> None:
    target = Target("https://joe:hunter2@h:8443/a?x=1#hunter2")
    assert target.shown == "https://h:8443/a?x=1"
    for text in (repr(target), str(target), target.shown, target.origin, target.path):
        assert "hunter2" not in text
        assert "joe" not in text


@pytest.mark.parametrize("url", SECRET_URLS)
def test_a_sentence_about_a_bad_url_keeps_its_secrets(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target(url)
    assert "hunter2" not in str(caught.value)
    assert "joe" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://web/@me",
            "http://web:81/@scope/x",
            "http://web:81/?q=a@b",
            "http://[::1]:81/a@b",
        ),
    ],
)
def test_an_at_sign_in_a_path_or_query_is_no_password(url: str) -> None:
    assert Target(url).shown == url


def test_a_sentence_repeats_no_more_than_80_characters_of_a_url() -> None:
    for url in ("x" * 10_000, "http://" + "x" * 10_000 + ":0/", "http://h/" + "x" * 10_000 + " "):
        with pytest.raises(UsageError) as caught:
            Target(url)
        assert "x" * 30 in str(caught.value)
        assert str(caught.value).count("x") <= 2 * 80  # where it is said how to write it, too


def test_secret_parameters_are_sent_but_starred_where_they_are_shown() -> None:
    target = Target("http://h/?q=1&token=abc&API_KEY=def&sig=&%74oken=ghi")
    assert target.path == "/?q=1&token=abc&API_KEY=def&sig=&%74oken=ghi"
    assert target.shown == "http://h/?q=1&token=***&API_KEY=***&sig=&%74oken=***"
    assert "abc" not in repr(target)


def test_a_redacted_query_keeps_its_shape() -> None:
    assert redacted_query("") == ""
    assert redacted_query("a&b=&token=x=y&&c=1") == "a&b=&token=***&&c=1"
    assert redacted_query("a=1;b=2&sig=;c=1&d;sig=") == "a=1;b=2&sig=***&d;sig="


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/p;jsessionid=abc?x=1", "/p;jsessionid=***?x=1"),
        ("/p;v=1;token=abc;d/q;v=2", "/p;v=1;token=***/q;v=2"),
        ("/token=abc/p", "/token=***/p"),
        ("/?a=1;token=abc;d&b=2", "/?a=1;token=***&b=2"),
        ("/?token=abc;d&b=2", "/?token=***&b=2"),
        ("/?next=/a?token=abc", "/?next=/a?token=***"),
        ("/?api+key=abc&api%20key=d", "/?api+key=***&api%20key=***"),
        ("/?user%5Bpassword%5D=abc", "/?user%5Bpassword%5D=***"),
    ],
)
def test_secrets_are_starred_wherever_they_stand_in_a_url(given: str, shown: str) -> None:
    target = Target(f"http://h{given}")
    assert (target.path, target.shown) == (given, f"http://h{shown}")
    assert Target(target.shown).shown == target.shown


def test_a_target_is_a_value() -> None:
    target = Target("http://joe:x@h/a")
    assert target == Target("http://joe:x@h/a")
    assert pickle.loads(pickle.dumps(target)) == target  # noqa: S301  # our own
    with pytest.raises(AttributeError):
        target.host = "other"  # type: ignore[misc]  # frozen, as mypy knows too
