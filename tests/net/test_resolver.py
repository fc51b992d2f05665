"""How long a resolver waits, by resolv.conf(5), and by musl's src/network/res_msend.c."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from keepalive_bench.net import resolver
from keepalive_bench.net.resolver import resolver_wait_s

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has that file")


@pytest.mark.parametrize(
    ("lines", "variable", "glibc_s", "musl_s"),
    [
        (None, "", 5, 2.5),
        ("nameserver 127.0.0.1\n", "", 5, 2.5),
        ("options ndots:5 timeout:2\n", "", 2, 1),
        ("options timeout:2\noptions timeout:3 attempts:1\n", "", 3, 3),
        ("options timeout:2\n", "timeout:1", 1, 1),
        ("options timeout:0\n", "", 1, None),
        ("options timeout:60\n", "", 30, 30),
        ("options timeout:x rotate\n\xff\n", "", 5, 2.5),
    ],
)
def test_it_is_read_as_resolvers_read_it(
    lines: str | None,
    variable: str,
    glibc_s: float,
    musl_s: float | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file = tmp_path / "resolv.conf"
    if lines is not None:
        file.write_bytes(lines.encode("latin-1"))
    monkeypatch.setattr(resolver, "_CONFIGURATION", file)
    monkeypatch.setenv("RES_OPTIONS", variable)
    monkeypatch.setattr("os.confstr", lambda _name: "glibc 2.36")
    assert resolver_wait_s() == glibc_s
    monkeypatch.setattr("os.confstr", _unknown)
    assert resolver_wait_s() == musl_s


def _unknown(_name: str) -> str:
    raise ValueError
