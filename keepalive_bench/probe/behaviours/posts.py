"""A POST where one is allowed: read, unread, and with Expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.probe.behaviours.group import (
    AGAIN,
    Group,
    answered,
    kept_after,
    response_text,
    unanswered,
)
from keepalive_bench.probe.lives import Ask, Life
from keepalive_bench.probe.probed import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.record import Seen

_BODY = b"kab probe\n" * 100
"""In lines, as a server that takes it for a request then complains at once."""
_PLAIN, _LATE, _EXPECT = "a POST", "a POST whose body comes late", "a POST with Expect"
_CONTINUE = 100


def _opens(plan: ProbePlan) -> Iterator[Life]:
    target = plan.probing.post_url
    if target is None:
        return
    post = Ask(method="POST", path=target.path, body=_BODY)
    yield Life("behaviour", (post, AGAIN), name=_PLAIN)
    yield Life("behaviour", (post._replace(late=True), AGAIN), name=_LATE)
    yield Life("behaviour", (post._replace(expects=True), AGAIN), name=_EXPECT)


def _told(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in seen:
        if nothing := unanswered(it):
            yield Behaviour("post", name, None, nothing)
        elif name == _LATE:
            yield _told_late(name, it)
        elif name == _EXPECT:
            yield _told_expecting(name, it)
        else:
            yield answered("post", name, it, name)


def _told_late(name: str, seen: Seen) -> Behaviour:
    first, kept = seen.exchanges[0], kept_after(seen)
    if first.early:
        text = f"Answers a POST with {response_text(first)} before its body comes, and {kept.text}."
    else:
        text = (
            "Waits for the body of a POST, so none is left unread; answers with "
            f"{response_text(first)}, and {kept.text}."
        )
    return Behaviour("post", name, kept.keeps, text)


def _told_expecting(name: str, seen: Seen) -> Behaviour:
    first, kept = seen.exchanges[0], kept_after(seen)
    response = response_text(first)
    if first.early:
        text = f"Answers Expect: 100-continue with {response} in place of 100: no body was sent."
        return Behaviour("post", name, None, text)
    if first.interim == _CONTINUE:
        text = f"Answers Expect: 100-continue with 100, then with {response}, and {kept.text}."
    elif first.interim is None:
        text = (
            "Doesn't react to Expect: 100-continue; once the body comes, it answers with "
            f"{response}, and {kept.text}."
        )
    else:
        text = (
            f"Answers Expect: 100-continue with {first.interim}, then with {response}, and "
            f"{kept.text}."
        )
    return Behaviour("post", name, kept.keeps, text)


POST = Group("post", _opens, _told)
