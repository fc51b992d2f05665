"""The code of docs/python.md runs as it stands, one block after the other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from keepalive_bench.server import ServerProcess, ServerSettings

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text("utf-8")
URL = "http://127.0.0.1:8080"


def test_the_code_runs(tmp_path: Path) -> None:
    code = "".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    with ServerProcess(ServerSettings()) as server:
        more = "\nassert benchmark(patient).exchanges\nprint(len(exchanges), len(opened_by))"
        done = subprocess.run(
            [sys.executable, "-c", (code + more).replace(URL, server.url)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert not done.stderr
    assert done.stdout.endswith("\n200 200\n")
