"""The recipes of docs/ci.md and docs/places.md, and what carries them out in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from support.patience import PATIENCE_S

_DOCS = Path(__file__).parents[2] / "docs"
GUIDE, PLACES = _DOCS / "ci.md", _DOCS / "places.md"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_NAME = re.compile(r"^# (\S+\.\w+)$", re.MULTILINE)
_REGARDLESS = "${{ !cancelled() }}"
TIMEOUT_S = PATIENCE_S


def blocks(language: str, guide: Path = GUIDE) -> list[str]:
    """All blocks of a language, in their order."""
    return [text for found, text in _BLOCK.findall(guide.read_text("utf-8")) if found == language]


def file(name: str, guide: Path = GUIDE) -> str:
    """The block whose comment at the top is its name."""
    found = [text for _, text in _BLOCK.findall(guide.read_text("utf-8")) if name in named(text)]
    assert len(found) == 1, name
    return str(found[0])


def named(text: str) -> list[str]:
    """What a block's comment says that it is called, if it has one."""
    return _NAME.findall("\n".join(text.splitlines()[:2]))


def workflow(name: str = "keep-alive") -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The steps of a workflow of GitHub's, and the environment of all of them."""
    document = yaml.safe_load(file(f".github/workflows/{name}.yml"))
    (job,) = document["jobs"].values()
    return job["steps"], document["env"]


@dataclass(frozen=True)
class Machine:
    """An empty folder where commands are carried out, as a runner does."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, script: str, *shell: str) -> subprocess.CompletedProcess[str]:
        """Run commands but for those that install kab, which is installed."""
        lines = [line for line in script.splitlines() if not line.startswith("pip install ")]
        here = Path(sys.executable).parent
        kept = {name: value for name, value in os.environ.items() if name[:4] != "KAB_"}
        path = f"{self.folder}/.bin:{here}:{os.environ['PATH']}"
        return subprocess.run(
            [*(shell or ("sh", "-ec")), "\n".join(lines)],
            cwd=self.folder,
            env={**kept, "PATH": path, **self.variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )

    def work(self, steps: list[dict[str, Any]]) -> list[subprocess.CompletedProcess[str]]:
        """What GitHub does with steps: after one that fails, only those that don't mind."""
        done: list[subprocess.CompletedProcess[str]] = []
        for step in steps:
            failed = any(each.returncode for each in done)
            if "run" in step and (not failed or step.get("if") == _REGARDLESS):
                done.append(self.run(step["run"], "bash", "-ec"))
        return done
