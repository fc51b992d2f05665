"""Names and defaults of the table of products, against those that can be imported."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest

from keepalive_bench.connections.products import Concern, nearest, product_called
from keepalive_bench.results.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import Callable


def default_of(function: Callable[..., Any], name: str) -> object:
    return signature(function).parameters[name].default


def attribute(module: str, *names: str) -> Any:  # noqa: ANN401  # of any type
    found: Any = import_module(module)
    for name in names:
        found = getattr(found, name)
    return found


DEFAULTS: dict[tuple[str, Concern, str], Callable[[], object]] = {
    ("gunicorn", "idle_timeout", "2 s"): lambda: attribute("gunicorn.config", "Keepalive").default,
    ("gunicorn", "keep_alive", "sync"): lambda: attribute("gunicorn.config", "WorkerClass").default,
    ("gunicorn", "request_limit", "no limit"): lambda: (
        attribute("gunicorn.config", "MaxRequests").default or "no limit"
    ),
    ("uvicorn", "idle_timeout", "5 s"): lambda: default_of(
        attribute("uvicorn", "Config"), "timeout_keep_alive"
    ),
    ("hypercorn", "idle_timeout", "5 s"): lambda: attribute(
        "hypercorn.config", "Config", "keep_alive_timeout"
    ),
    ("hypercorn", "request_limit", "1,000"): lambda: attribute(
        "hypercorn.config", "Config", "keep_alive_max_requests"
    ),
    ("waitress", "idle_timeout", "120 s"): lambda: attribute(
        "waitress.adjustments", "Adjustments", "channel_timeout"
    ),
    ("cheroot", "idle_timeout", "10 s"): lambda: attribute("cheroot.server", "HTTPServer").timeout,
    ("cheroot", "recycling", "10"): lambda: attribute(
        "cheroot.server", "HTTPServer", "keep_alive_conn_limit"
    ),
    ("aiohttp", "idle_timeout", "75 s"): lambda: default_of(
        attribute("aiohttp.web", "run_app"), "keepalive_timeout"
    ),
    ("sanic", "idle_timeout", "120 s"): lambda: attribute("sanic.config", "DEFAULT_CONFIG")[
        "KEEP_ALIVE_TIMEOUT"
    ],
    ("granian", "idle_timeout", "30,000 ms"): lambda: (
        attribute("granian.http", "HTTP1Settings")().header_read_timeout
    ),
    ("twisted", "idle_timeout", "60 s"): lambda: (
        attribute("twisted.web.http", "HTTPFactory").timeOut
    ),
    ("http.server", "http_1_1", '"HTTP/1.0"'): lambda: (
        attribute("http.server", "BaseHTTPRequestHandler").protocol_version
    ),
}
NAMES: dict[str, Callable[[], object]] = {
    "gunicorn": lambda: attribute("gunicorn", "SERVER"),
    "waitress": lambda: attribute("waitress.adjustments", "Adjustments").ident,
    "cheroot": lambda: attribute("cheroot.server", "HTTPServer").version,
    "aiohttp": lambda: attribute("aiohttp.http", "SERVER_SOFTWARE"),
    "twisted": lambda: attribute("twisted.web.server", "version").decode(),
    "tornado": lambda: f"TornadoServer/{attribute('tornado').version}",
    "http.server": lambda: attribute("http.server", "SimpleHTTPRequestHandler").server_version,
}


@pytest.mark.parametrize(("word", "concern", "told"), DEFAULTS)
def test_the_default_that_is_told_is_the_products_own(
    word: str, concern: Concern, told: str
) -> None:
    setting = product_called(word).setting(concern)
    assert setting is not None
    assert setting.default == told
    own = DEFAULTS[word, concern, told]()
    number = told.split(maxsplit=1)[0].replace(",", "").strip('"')
    assert f"{own:g}" == number if isinstance(own, int | float) else own == told.strip('"')


def output_of(name: str, *arguments: str) -> str:
    program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        assert "CI" not in os.environ, f"{name} is not installed"
        pytest.skip(f"{name} is not installed")
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_the_default_of_node_is_its_own_in_the_installed_version() -> None:
    said = output_of(
        "node",
        "-p",
        "process.versions.node + ' ' + require('http').createServer().keepAliveTimeout",
    )
    version, own = said.split()
    setting = product_called("node").setting("idle_timeout")
    assert setting is not None
    told = setting.default if int(version.partition(".")[0]) >= 26 else setting.older
    assert told.split()[0].replace(",", "") == own


@pytest.mark.slow
@pytest.mark.parametrize("concern", ["idle_timeout", "upstream", "upstream_wait"])
def test_the_defaults_of_varnish_are_its_own(concern: Concern) -> None:
    setting = product_called("varnish").setting(concern)
    assert setting is not None
    found = re.search(
        rf"^{setting.name}\n~+\n.*?Default: ([0-9]+)",
        output_of("varnishd", "-x", "parameter"),
        re.DOTALL | re.MULTILINE,
    )
    assert found is not None
    assert setting.default == f"{found[1]} s"


@pytest.mark.parametrize("word", NAMES)
def test_the_name_by_which_it_is_known_is_the_products_own(word: str) -> None:
    answer = Answer("HTTP/1.1", server=f"{NAMES[word]()}")
    assert nearest(answer).product is product_called(word)
