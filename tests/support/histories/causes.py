"""Every cause: the far end that has it, with the pauses that it takes to meet it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Literal

from support.histories import peers
from support.histories.draft import Draft, draft_of, logarithmic
from support.histories.wire import Peer
from support.histories.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.histories.wire import By
    from support.histories.world import History


def _count(draft: Draft, way: Literal["silent", "announced", "dies"]) -> Peer:
    draft.some_pauses(0.2)
    most = max(1, round(logarithmic(draft.random, 1, draft.requests / 2)))
    return peers.CountLimit(most, way, draft.by(), draft.random)


def _count_silent(draft: Draft) -> Peer:
    return _count(draft, "silent")


def _count_announced(draft: Draft) -> Peer:
    return _count(draft, "announced")


def _count_dies(draft: Draft) -> Peer:
    return _count(draft, "dies")


def _age(draft: Draft, *, announces: bool) -> Peer:
    """Some ages fit into the run, with several requests in each, or one."""
    random = draft.random
    most_s = logarithmic(random, 0.5, 30.0)
    ages = random.uniform(1.5, 12.0)
    mean_s = max(0.0, most_s * ages / draft.requests - draft.pace_s)
    spread = 0.0 if random.random() < 0.3 else random.uniform(0.2, 1.0)
    if mean_s:
        draft.pauses(mean_s * (1 - spread), mean_s * (1 + spread))
    differs = random.choice((0.0, 0.0, 0.0, 0.1))
    return peers.MaxAge(most_s, draft.by(), random, announces=announces, differs=differs)


def _age_silent(draft: Draft) -> Peer:
    return _age(draft, announces=False)


def _age_announced(draft: Draft) -> Peer:
    return _age(draft, announces=True)


def _idle(draft: Draft, timer: peers.Timer) -> Peer:
    """Pauses that are longer than the timeout, all or some."""
    random, after_s = draft.random, timer.after_s
    if random.random() < 0.25:
        mean_s = after_s * random.uniform(1.05, 3.0)
        draft.pauses(mean_s, mean_s)
    else:
        draft.pauses(after_s * random.uniform(0.0, 0.9), after_s * random.uniform(1.1, 3.0))
    return peers.IdleTimeout(timer, draft.by(), random)


def _timeout_s(random: Random) -> float:
    return logarithmic(random, 0.06, 20.0)


def _idle_exact(draft: Draft) -> Peer:
    return _idle(draft, peers.Timer(_timeout_s(draft.random)))


def _idle_coarse(draft: Draft) -> Peer:
    after_s = _timeout_s(draft.random)
    return _idle(draft, peers.Timer(after_s, after_s * draft.random.uniform(0.1, 1.0)))


def _idle_differs(draft: Draft) -> Peer:
    differs = draft.random.uniform(0.05, 0.8)
    return _idle(draft, peers.Timer(_timeout_s(draft.random), differs=differs))


def _idle_escapes(draft: Draft) -> Peer:
    after_s = _timeout_s(draft.random)
    looks_every_s = after_s * draft.random.choice((0.0, 0.1, 0.5))
    escapes = draft.random.uniform(0.02, 0.15)
    return _idle(draft, peers.Timer(after_s, looks_every_s, escapes=escapes))


def _idle_short(draft: Draft) -> Peer:
    return _idle(draft, peers.Timer(draft.random.uniform(0.02, 0.05)))


def _stale_race(draft: Draft) -> Peer:
    """Pauses that end within a round trip of the timeout."""
    random = draft.random
    rtt_s = logarithmic(random, 2e-3, 5e-2)
    draft.path = draft.path._replace(rtt_s=rtt_s)
    after_s = logarithmic(random, 0.2, 10.0)
    draft.pauses(max(0.0, after_s - 3 * rtt_s), after_s + rtt_s)
    return peers.IdleTimeout(peers.Timer(after_s), draft.by(), random)


def _restart(draft: Draft) -> Peer:
    random = draft.random
    draft.some_pauses(0.3)
    lasts_s = draft.mean_s * draft.requests / draft.plan.experiment.concurrency
    moments = tuple(random.uniform(0.05, 0.95) * lasts_s for _ in range(random.randint(1, 4)))
    return peers.Restart(moments, draft.by(), random.choice(("announced", "silent", "cut")))


def _kept_limit(draft: Draft) -> Peer:
    random = draft.random
    concurrency = random.randint(3, 8)
    draft.experiment(concurrency=concurrency)
    draft.some_pauses(0.2)
    most = random.randint(1, concurrency - 1)
    return peers.KeptLimit(most, draft.by(), closes_oldest=random.random() < 0.5)


def _whim(draft: Draft) -> Peer:
    random = draft.random
    draft.some_pauses(0.3)
    often = logarithmic(random, 2.0, 20.0)
    return peers.Whim(often * draft.mean_s, draft.by(), random)


def _forgets(draft: Draft, by: By | None) -> Peer:
    random = draft.random
    after_s = logarithmic(random, 1.0, 350.0)
    draft.network(timeout_s=random.uniform(1.0, 10.0))
    if random.random() < 0.25:
        mean_s = after_s * random.uniform(1.05, 2.0)
        draft.pauses(mean_s, mean_s)
    else:
        draft.pauses(after_s * random.uniform(0.0, 0.9), after_s * random.uniform(1.1, 2.0))
    return peers.Forgetful(after_s, by)


def _drops(draft: Draft) -> Peer:
    return _forgets(draft, None)


def _resets(draft: Draft) -> Peer:
    return _forgets(draft, "rst")


def _crashes(draft: Draft) -> Peer:
    draft.some_pauses(0.2)
    return peers.Crashing(draft.random.uniform(0.03, 0.3), draft.by(), draft.random)


def _asked(draft: Draft) -> Peer:
    draft.some_pauses(0.1)
    draft.request(headers=(("Connection", "close"),))
    return peers.Asked(draft.random, announces=draft.random.random() < 0.7)


def _errors(draft: Draft) -> Peer:
    draft.some_pauses(0.1)
    status = draft.random.choice((400, 413, 429, 500, 502, 503))
    return peers.Erring(draft.random.uniform(0.03, 0.5), status, draft.random)


def _unread(draft: Draft) -> Peer:
    random = draft.random
    draft.some_pauses(0.1)
    draft.request(body=b"x" * 200_000)
    status = random.choice((200, 401, 403, 413))
    if random.random() < 1 / 3:
        return peers.Leftover(status)
    dies = random.choice((0.0, random.uniform(0.0, 0.3)))
    return peers.Unread(status, dies, random)


def _nothing(draft: Draft) -> Peer:
    draft.some_pauses(0.3)
    return Peer()


CAUSES: dict[str, Callable[[Draft], Peer]] = {
    "request limit, silent": _count_silent,
    "request limit, announced": _count_announced,
    "request limit, dies under the next": _count_dies,
    "maximum age, silent": _age_silent,
    "maximum age, announced": _age_announced,
    "idle timeout, exact": _idle_exact,
    "idle timeout, coarse": _idle_coarse,
    "idle timeout, of each connection": _idle_differs,
    "idle timeout, some escape": _idle_escapes,
    "idle timeout, of 20 to 50 ms": _idle_short,
    "idle timeout, near the pauses": _stale_race,
    "restart": _restart,
    "limit of kept connections": _kept_limit,
    "closed at random": _whim,
    "path forgets, and drops": _drops,
    "path forgets, and resets": _resets,
    "some requests crash it": _crashes,
    "own Connection: close": _asked,
    "errors close": _errors,
    "request's body left unread": _unread,
    "nothing": _nothing,
}
"""By name: what draws a far end of that cause, and plans what it takes to meet it."""


def history_of(cause: str, seed: int) -> History:
    """A history of a cause; the same again for the same seed."""
    random = Random(f"{cause} {seed}")  # noqa: S311  # not for secrets
    draft = draft_of(random)
    peer = CAUSES[cause](draft)
    return World(draft.plan, draft.path, peer, random).history()
