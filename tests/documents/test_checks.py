"""What checks a commit elsewhere calls make's targets, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def targets(commands: list[str]) -> set[str]:
    """What they have make do."""
    assert commands
    assert all(it.startswith("make ") for it in commands)
    return {target for it in commands for target in it.split()[1:]}


def test_the_hooks_before_a_commit_are_targets_of_make() -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repo["repo"] == "local"
    assert targets([hook["entry"] for hook in repo["hooks"]]) <= TARGETS


def test_the_steps_of_the_workflow_are_targets_of_make() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert {step["uses"].partition("@")[0] for step in steps if "uses" in step} == {
        "actions/checkout",
        "actions/setup-python",
    }
    assert targets([step["run"] for step in steps if "run" in step]) <= TARGETS
