"""The child of a `ServerProcess`: ``python -m keepalive_bench.server``."""

from __future__ import annotations

from keepalive_bench.server.process import serve_parent

if __name__ == "__main__":
    serve_parent()
