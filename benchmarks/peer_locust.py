"""The users that locust is to simulate: of its two clients, each keeping its connection and not.

locust -f peer_locust.py --headless -u 8 -r 8 -t 2s PooledHttpUser -H http://127.0.0.1:8080/
"""

from __future__ import annotations

from typing import Any

from locust import FastHttpUser, HttpUser


def keep(user: Any) -> None:  # noqa: ANN401  # of either class
    """Ask on the connection that the user has."""
    user.client.get("")


def close(user: Any) -> None:  # noqa: ANN401
    """Ask, and have the connection closed: what there is in both clients for that."""
    user.client.get("", headers={"Connection": "close"})


class PooledHttpUser(HttpUser):  # type: ignore[misc]  # locust has a venv of its own
    """By requests."""

    tasks = (keep,)


class UnpooledHttpUser(HttpUser):  # type: ignore[misc]
    """By requests."""

    tasks = (close,)


class PooledFastHttpUser(FastHttpUser):  # type: ignore[misc]
    """By geventhttpclient."""

    tasks = (keep,)


class UnpooledFastHttpUser(FastHttpUser):  # type: ignore[misc]
    """By geventhttpclient."""

    tasks = (close,)
