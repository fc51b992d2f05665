"""TLS to a cluster, by Dask's own configuration: secrets need no further word then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import certificates
from support.command import kab
from support.dask_cluster import cluster

from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = "DASK_DISTRIBUTED__COMM__"


@pytest.mark.slow  # a cluster of its own
def test_secrets_go_over_tls_without_a_warning(tmp_path: Path) -> None:
    both = f"{certificates.server_named(tmp_path, 'kab.test')}"
    env = {f"{_CONFIG}DEFAULT_SCHEME": "tls", f"{_CONFIG}TLS__CA_FILE": both}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        env |= {f"{_CONFIG}TLS__{role}__CERT": both, f"{_CONFIG}TLS__{role}__KEY": both}
    folder = tmp_path / "cluster"
    folder.mkdir()
    with Server(ServerSettings()) as server, cluster(folder, "one", env=env) as made:
        assert made.address.startswith("tls://")
        words = ("-n", "2", "--bearer", "s3kr1t", "--dask", made.address)
        done = kab("run", server.url, *words, env=env)
        assert done.code == 0, done.text
        assert "secret" not in done.text
        refused = kab("run", server.url, *words)
    assert refused.code == 2
    assert "needs certificates (--dask)" in refused.err
