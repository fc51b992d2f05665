"""What an answer announces of its connection: whether it ends, and how long it is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.results.exchange import Answer

OLD = {"HTTP/1.0", "HTTP/0.9"}
"""Versions that keep connections on request only."""


def says_close(answer: Answer) -> bool:
    """Whether `close` is one of its connection options.

    Several fields are one list of tokens, in any case (RFC 9110, sections 5.3 and 7.6.1).
    """
    return "close" in {option.strip() for option in (answer.connection or "").lower().split(",")}


def looks_like_close(answer: Answer) -> str | None:
    """A connection option that isn't `close`, but has these letters, where none is.

    `http.client` looks for the letters alone, in the first of several fields.
    """
    if answer.connection is None or "close" not in answer.connection.lower() or says_close(answer):
        return None
    return next(it.strip() for it in answer.connection.split(",") if "close" in it.lower())


def is_token(option: str) -> bool:
    """Whether it can be a connection option at all (RFC 9110, sections 5.6.2 and 7.6.1)."""
    return re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", option) is not None


def is_old(answer: Answer) -> bool:
    """Whether it is of a version that keeps connections on request only, and doesn't keep it."""
    return answer.http_version in OLD and "keep-alive" not in (answer.connection or "").lower()


def announced_timeout(answer: Answer | None) -> int | None:
    """What a Keep-Alive field's `timeout` says, in seconds."""
    return _announcement(answer, "timeout")


def announced_max(answer: Answer | None) -> int | None:
    """What a Keep-Alive field's `max` says, in requests."""
    return _announcement(answer, "max")


def _announcement(answer: Answer | None, name: str) -> int | None:
    said = "" if answer is None else answer.keep_alive or ""
    found = re.search(rf"(?:^|[\s,;]){name}\s*=\s*(\d{{1,9}})(?!\d)", said) if said else None
    return None if found is None else int(found[1])
