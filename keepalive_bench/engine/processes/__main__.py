"""One of several processes of a run: ``python -m keepalive_bench.engine.processes``."""

from __future__ import annotations

from keepalive_bench.engine.processes.child import main

if __name__ == "__main__":
    main()
