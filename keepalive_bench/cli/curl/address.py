"""The URL that a command of curl's asks for, and its proxy's, written out as kab takes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from keepalive_bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATTERN = r"(?<!\\)\{|(?<!\\)\[(?!\]|[0-9A-Fa-f:.%]*:[0-9A-Fa-f:.%]*\])"
"""A set or a range of URLs; brackets may be empty, or have an IPv6 address in them."""
_ESCAPED = r"\\([\[\]{}])"
_DOTS = r"/\.\.?(/|$)"
_PROXY_PORTS = {"http": 1080, "https": 443}
_HAS_PORT = r":[0-9]*$"


def url_of(  # each is an option of curl's
    url: str,
    *,
    scheme: str,
    query: Sequence[bytes],
    uploaded: str,
    is_literal: bool,
    as_is: bool,
) -> str:
    """The URL, whole.

    Args:
        url: as it is given.
        scheme: where it has none.
        query: what is added to its own.
        uploaded: the name of a file, which a path that ends with a slash gets; empty: none is.
        is_literal: braces and brackets mean themselves.
        as_is: dots in the path mean themselves.

    Raises:
        UsageError: it stands for several.
    """
    if not is_literal:
        if re.search(_PATTERN, url):
            raise UsageError(
                "The URL of --curl has braces or brackets, which curl takes for a pattern of "
                "several URLs: add -g to the command if they mean themselves."
            )
        url = re.sub(_ESCAPED, r"\1", url)
    if "://" not in url:
        url = f"{scheme}://{url}"
    url = url.partition("#")[0]
    base, mark, own = url.partition("?")
    origin, slashes, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    path = f"{slash}{path}"
    if not as_is and re.search(_DOTS, path):
        path = urljoin("http://host/", path).removeprefix("http://host")
    if uploaded and (not path or path.endswith("/")):
        path = f"{path or '/'}{quote(uploaded)}"
    parts = [own] * bool(own) + [it.decode("utf-8", "surrogateescape") for it in query]
    mark = "?" if parts or mark else ""
    return f"{origin}{slashes}{host}{path}{mark}{'&'.join(parts)}"


def proxy_of(text: str, user: str) -> str:
    """A proxy's URL, with its user, and the port that curl takes where none is given."""
    scheme, mark, rest = text.rpartition("://")
    scheme = scheme.lower() if mark else "http"
    if scheme not in _PROXY_PORTS:
        raise UsageError("kab goes through http:// and https:// proxies only (--curl).")
    before, at, host = rest.rstrip("/").rpartition("@")
    if user:
        before, at = ":".join(quote(it, safe="") for it in user.split(":", 1)), "@"
    port = "" if re.search(_HAS_PORT, host) else f":{_PROXY_PORTS[scheme]}"
    return f"{scheme}://{before}{at}{host}{port}"
