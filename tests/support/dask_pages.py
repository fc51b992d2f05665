"""All that a Dask cluster shows to whoever opens its pages: their text, and what charts hold."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from dask import config
from support.dask_cluster import LOCALHOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bokeh.client import pull_session
    from bokeh.core.json_encoder import serialize_json
    from support.dask_cluster import Cluster
else:
    _WHY = "needs bokeh (group servers)"
    pull_session = pytest.importorskip("bokeh.client", reason=_WHY).pull_session
    serialize_json = pytest.importorskip("bokeh.core.json_encoder", reason=_WHY).serialize_json

_PATTERN = re.compile(r"\(|statics/|^eventstream$|^proxy/")
"""What others link to, or files that come with Dask, or is no page."""


class Shown:
    """The pages of one process."""

    def __init__(self, url: str, role: str) -> None:
        self._url, self._role = url, role

    def pages(self) -> Iterator[tuple[str, str]]:
        """Every page by its path: those that Dask has, and those that these link to."""
        due, seen = [*self._routes(), *self._charts()], set()
        while due:
            path = due.pop()
            if path in seen:
                continue
            seen.add(path)
            page = _page(f"{self._url}{path}")
            yield path, page
            links = re.findall(r'href="(?:\.\./)*((?:info/)?[a-z-]+/[^":]*\.html)"', page)
            due += [f"/info/{it.removeprefix('info/')}" for it in links]

    def charts(self) -> Iterator[tuple[str, str]]:
        """What charts hold, by their pages' paths: as a browser gets it over a WebSocket."""
        yield from ((it, _chart(f"{self._url}{it}")) for it in self._charts())

    def _routes(self) -> Iterator[str]:
        for name in config.get(f"distributed.{self._role}.http.routes"):
            for pattern, *_ in import_module(name).routes:
                if not _PATTERN.search(pattern):
                    yield f"/{pattern.lstrip('/')}"

    def _charts(self) -> list[str]:
        return [*import_module(f"distributed.dashboard.{self._role}").applications]


def shown_by(workers: Cluster, *names: str) -> dict[str, Shown]:
    """The scheduler's pages, and those of the workers that are called so, by name."""
    ports = workers.asked(lambda dask_worker: dask_worker.http_server.port)
    of_workers = {name: Shown(f"http://{LOCALHOST}:{ports[name]}", "worker") for name in names}
    return {"scheduler": Shown(workers.dashboard, "scheduler"), **of_workers}


def _page(url: str) -> str:
    try:
        with urlopen(url) as answer:  # noqa: S310  # our own
            return f"{answer.read().decode(errors='replace')}"
    except HTTPError as error:
        return f"{error.code} {error.read().decode(errors='replace')}"


def _chart(url: str) -> str:
    try:
        session = pull_session(url=url)
    except (RuntimeError, ValueError) as error:  # bokeh sends, or takes, not all of Dask's
        return f"{error}"
    text = serialize_json(session.document.to_json())
    session.close()
    return text
