"""Whatever a server says, and whatever is secret: no output of a probe carries it out, or shows it.

What a probe's report makes of such words is tested without a server beside this.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

import pytest
from server.wire import serving
from support.command import called, on_terminal
from support.misbehaving import forever, misbehaving, refusing
from support.orders import ORDERS, orders_in, without_annotations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIALECTS = ("json", "csv", "markdown", "junit", "openmetrics", "html")
_SECRET = "s3kr1t"  # noqa: S105  # nobody's
_ENCODED = b64encode(f"someone:{_SECRET}".encode()).decode()
_HARMLESS = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]*")
_CURSOR = re.compile(r"\x1b\[(\?25[lh]|1A|2K)|\r")
"""What kab itself does to draw a line anew."""
_ALL = ["--max-idle", "0.2s", "-v", "--github", "--require", "idle_timeout>=60s"]
_BAD = (
    f"=1|`<script>alert(1)</script>\x1b[31m\u202e\x9b]](http://evil.example)\x85::error::x {ORDERS}"
)
_FIELDS = ("Server", "Via", "Keep-Alive", "Content-Type", "Connection", "Retry-After", "Set-Cookie")


class Outputs(NamedTuple):
    """The code, and all that was shown and written, by name."""

    code: int
    texts: dict[str, str]


def outputs(folder: Path, url: str, *arguments: str, drawn: bool = False) -> Outputs:
    """Of a probe that writes everything it can; `drawn`: its progress, too, on a terminal."""
    files = [word for it in _DIALECTS for word in (f"--{it}", str(folder / it))]
    done = (on_terminal if drawn else called)("probe", url, *_ALL, *files, *arguments)
    written = {it: (folder / it).read_text("utf-8") for it in _DIALECTS}
    return Outputs(done.code, {"out": done.out, "err": _CURSOR.sub("", done.err), **written})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What there is of a server all of whose words are orders."""
    fields = "".join(f"{it}: {_BAD}\r\n" for it in _FIELDS)
    answer = f"HTTP/1.1 503 {_BAD}\r\nContent-Length: 2\r\n{fields}\r\nok".encode()
    with misbehaving(forever(answer)) as server:
        url, folder = f"{server.url}\u202e?q=::error::%1b", tmp_path_factory.mktemp("told")
        found = outputs(folder, url, drawn=True)
    assert found.code == 0
    return found.texts


def test_what_a_server_says_moves_no_terminal(told: dict[str, str]) -> None:
    for name, text in told.items():
        assert _HARMLESS.fullmatch(text), name


def test_what_a_server_says_is_no_order_to_a_ci_system(told: dict[str, str]) -> None:
    for name, text in told.items():
        assert not orders_in(without_annotations(text)), name


def test_what_a_server_says_is_no_script(told: dict[str, str]) -> None:
    for name in ("html", "markdown", "junit"):
        assert "<script>alert" not in told[name], name


@pytest.mark.parametrize(
    "line",
    [
        "\x1b[31m::error::x",
        "\x00\xff garbage",
        "HTTP/1.1 2\x1b[31m00 OK",
        f"\u202e{ORDERS}",
        "##[error]x",
    ],
)
def test_a_status_line_that_is_none_is_told_harmlessly(line: str) -> None:
    with misbehaving(
        lambda peer: peer.answer(f"{line}\r\n\r\n".encode("latin-1", "replace"))
    ) as it:
        done = called("probe", it.url, *_ALL, "--quiet")
    assert done.code == 1
    assert done.err.startswith("Error: Nothing was measured: no response came. malformed-response")
    assert _HARMLESS.fullmatch(done.text), repr(done.text)
    assert not orders_in(without_annotations(done.text))


_SENT = [
    ("/", ["-u", f"someone:{_SECRET}"], _ENCODED),
    ("/", ["--bearer", _SECRET], f"Bearer {_SECRET}"),
    ("/", ["-b", f"session={_SECRET}"], f"session={_SECRET}"),
    ("/", ["-H", f"Authorization: Bearer {_SECRET}"], _SECRET),
    ("/", ["-H", f"X-Api-Key: {_SECRET}"], _SECRET),
    (f"/?token={_SECRET}", [], f"?token={_SECRET}"),
    (f"/a;jsessionid={_SECRET}", [], f";jsessionid={_SECRET}"),
    ("/", ["--behaviours", "paths", "--also", f"/b?token={_SECRET}"], f"/b?token={_SECRET}"),
]


@pytest.mark.parametrize(("path", "arguments", "sent"), _SENT)
def test_a_secret_is_sent_and_not_shown(
    tmp_path: Path, path: str, arguments: list[str], sent: str
) -> None:
    record = tmp_path / "requests"
    with serving(record=record, idle_timeout_s=0.1) as server:
        found = outputs(tmp_path, f"{server.url}{path}", *arguments)
    assert sent in record.read_text()
    assert not [*shown_secrets(found.texts)]


def test_credentials_in_the_url_are_sent_and_not_shown(tmp_path: Path) -> None:
    record = tmp_path / "requests"
    with serving(record=record, idle_timeout_s=0.1) as server:
        url = server.url.replace("//", f"//someone:{_SECRET}@")
        found = outputs(tmp_path, url)
    assert _ENCODED in record.read_text()
    assert not [*shown_secrets(found.texts)]


def test_a_proxys_password_is_sent_and_not_shown(tmp_path: Path) -> None:
    record = tmp_path / "requests"
    with serving(record=record, idle_timeout_s=0.1) as proxy:
        url = proxy.url.replace("//", f"//someone:{_SECRET}@")
        found = outputs(tmp_path, "http://there.test/", "-x", url)
    assert _ENCODED in record.read_text()
    assert not [*shown_secrets(found.texts)]


def test_a_secret_is_not_shown_where_nobody_listens(tmp_path: Path) -> None:
    with refusing() as address:
        url = f"http://someone:{_SECRET}@{address}/?token={_SECRET}"
        found = outputs(tmp_path, url, "-x", f"http://someone:{_SECRET}@{address}")
    assert found.code == 1
    assert not [*shown_secrets(found.texts)]


def test_a_secret_is_not_shown_in_a_plan() -> None:
    url = f"http://someone:{_SECRET}@a.test/?token={_SECRET}"
    also = ["--behaviours", "paths,post", "--also", f"/b?token={_SECRET}", "--post-url", url]
    done = called("probe", url, "--dry-run", *also, "-H", f"Cookie: a={_SECRET}")
    assert done.code == 0
    assert not [*shown_secrets({"out": done.out, "err": done.err})]


def test_a_secret_that_a_server_repeats_is_not_shown(tmp_path: Path) -> None:
    """Where it redirects, and in the cookie that it sets."""
    fields = f"Location: /?token={_SECRET}\r\nSet-Cookie: session={_SECRET}\r\nContent-Length: 0"
    with misbehaving(forever(f"HTTP/1.1 302 Found\r\n{fields}\r\n\r\n".encode())) as server:
        found = outputs(tmp_path, server.url)
    assert not [*shown_secrets(found.texts)]


@pytest.mark.parametrize(
    "response",
    [
        b"GET /?token=%s HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: %s\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
    ],
)
def test_a_secret_that_a_server_echoes_where_nobody_expects_it_is_not_shown(
    response: bytes, tmp_path: Path
) -> None:
    with misbehaving(forever(response % _SECRET.encode())) as server:
        found = outputs(tmp_path, f"{server.url}?token={_SECRET}", "--bearer", _SECRET)
    assert not [*shown_secrets(found.texts)]


def shown_secrets(texts: dict[str, str]) -> Iterator[str]:
    """Where there is any of them."""
    return (name for name, text in texts.items() if _SECRET in text or _ENCODED in text)
