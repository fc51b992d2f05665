"""What an answer announces of its connection: whether it ends, and how long it is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.results.exchange import Answer

_OLD = {"HTTP/1.0", "HTTP/0.9"}


def says_close(answer: Answer) -> bool:
    """Whether `close` is one of its connection options.

    Several fields are one list of tokens, in any case (RFC 9110, sections 5.3 and 7.6.1).
    """
    return "close" in {option.strip() for option in (answer.connection or "").lower().split(",")}


def is_misread(answer: Answer) -> bool:
    """Whether only `http.client` takes it for the end: it looks for `close` within other words."""
    return "close" in (answer.connection or "").lower() and not says_close(answer)


def is_old(answer: Answer) -> bool:
    """Whether it is of a version that keeps connections on request only, and doesn't keep it."""
    return answer.http_version in _OLD and "keep-alive" not in (answer.connection or "").lower()


def announced_timeout(answer: Answer | None) -> int | None:
    """What a Keep-Alive field's `timeout` says, in seconds."""
    return _announcement(answer, "timeout")


def announced_max(answer: Answer | None) -> int | None:
    """What a Keep-Alive field's `max` says, in requests."""
    return _announcement(answer, "max")


def _announcement(answer: Answer | None, name: str) -> int | None:
    said = "" if answer is None else answer.keep_alive or ""
    found = re.search(rf"(?:^|[\s,;]){name}\s*=\s*(\d{{1,9}})", said) if said else None
    return None if found is None else int(found[1])
