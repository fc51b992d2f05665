"""What is secret in a plan appears nowhere in a results file."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.plans import run

from keepalive_bench import Run, Target, Variation, analyse
from keepalive_bench.report.document import derived_document
from keepalive_bench.results.file import document_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "tr0ub4dor"  # noqa: S105  # it is none
BASIC = b64encode(f"user:{SECRET}".encode()).decode()


def header(name: str, value: str = SECRET) -> dict[str, Any]:
    return {"headers": ((name, value),)}


def varying(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"variation": Variation(**fields)}


SECRETS: dict[str, tuple[str, dict[str, Any]]] = {
    "a password in the URL": (f"user:{SECRET}@", {}),
    "a user in the URL": (f"{SECRET}@", {}),
    "credentials": ("", {"credentials": ("user", SECRET)}),
    "an Authorization field": ("", header("Authorization", f"Bearer {SECRET}")),
    "a Cookie field": ("", header("cookie", f"session={SECRET}")),
    "an X-Api-Key field": ("", header("X-Api-Key")),
    "a Proxy-Authorization field": ("", header("Proxy-Authorization")),
    "a field nobody knows": ("", header("X-Whatever")),
    "a body": ("", {"method": "POST", "body": SECRET.encode()}),
    "a varying parameter": ("", varying(fields=(("token", (SECRET, "other")),))),
    "a parameter from a file": ("", varying(rows=((("api_key", SECRET), ("q", "1")),))),
    "a bearer token": ("", {"bearer": SECRET}),
    "a cookie": ("", {"cookies": (f"session={SECRET}",)}),
    "a proxy's password": ("", {"proxy": Target(f"http://user:{SECRET}@127.0.0.1:1")}),
    "a key's passphrase": ("", {"key_password": SECRET}),
}


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """A server that answers 401."""
    with serving(status=401) as server:
        yield server.url


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as server:
        yield server.url


def file_of(measured: Run) -> str:
    return "".join(document_lines(measured, derived_document(analyse(measured))))


@pytest.mark.parametrize(("userinfo", "options"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_not_in_the_file(refusing: str, userinfo: str, options: dict[str, Any]) -> None:
    text = file_of(run(refusing.replace("://", f"://{userinfo}"), requests=2, **options))
    assert SECRET not in text
    assert BASIC not in text
    json.loads(text)


@pytest.mark.parametrize("query", ["a=1&access_token={}&b=2", "%74oken={}"])
def test_a_secret_query_parameter_is_starred_in_the_file(url: str, query: str) -> None:
    text = file_of(run(f"{url}/p?{query.format(SECRET)}", requests=2))
    assert SECRET not in text
    assert json.loads(text)["plan"]["url"] == f"{url}/p?{query.format('***')}"


@pytest.mark.parametrize("address", ["kab.invalid", "127.0.0.1:1"])
def test_nor_when_everything_fails(address: str) -> None:
    url = f"http://user:{SECRET}@{address}/?token={SECRET}"
    text = file_of(run(url, requests=2, **header("Authorization", SECRET)))
    assert SECRET not in text


def test_harmless_fields_are_in_the_file_for_whoever_reads_it_later(url: str) -> None:
    fields = (("Accept", "text/html"), ("Authorization", SECRET))
    text = file_of(run(url, requests=1, headers=fields))
    assert json.loads(text)["plan"]["headers"] == [["Accept", "text/html"], ["Authorization", None]]
    assert Run.of_lines(text.splitlines()).plan.request.headers == (
        ("Accept", "text/html"),
        ("Authorization", ""),
    )
