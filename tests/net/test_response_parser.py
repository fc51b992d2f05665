"""What is kept of a response's head, as a scripted server sends it."""

from __future__ import annotations

import pytest
from support.plans import exchange
from support.scripted_server import answering, response


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), None),
        ((b"Age: 17",), "Age"),
        ((b"Age: 3", b"X-Cache: MISS"), "Age"),
        ((b"Age: 0", b"X-Cache: MISS"), "MISS"),
        ((b"Age: 0",), None),
        ((b"X-Cache: Miss from cloudfront",), "Miss from cloudfront"),
        ((b"CF-Cache-Status: HIT",), "HIT"),
        ((b"X-Cache-Status: STALE",), "STALE"),
        ((b"X-Cache: " + b"x" * 5000,), "x" * 100),
    ],
    ids=[
        *("nothing", "age", "age first", "Varnish, missed", "Varnish, alone"),
        *("cloudfront", "cloudflare", "nginx", "too long"),
    ],
)
def test_what_says_that_a_cache_answered_is_kept(
    lines: tuple[bytes, ...], said: str | None
) -> None:
    with answering(response(*lines)) as server:
        answer = exchange(server.url).outcome.answer
    assert answer is not None
    assert answer.cache == said
