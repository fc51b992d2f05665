"""docs/trace.md names all libraries that `kab trace` is tried with, as pyproject.toml has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.venvs import libraries

_PAGE = Path(__file__).parents[2] / "docs" / "trace.md"


@pytest.mark.parametrize("requirement", libraries(lowest=True))
def test_each_library_that_programs_are_tried_with_is_told_with_its_lowest_version(
    requirement: str,
) -> None:
    ((name, version),) = re.findall(r"^([\w-]+).*?==([\d.]+)", requirement)
    told = _PAGE.read_text("utf-8").partition("## What it was tried with")[2].lower()
    rows = [it for it in told.splitlines() if re.search(rf"^\|.*\b{name}\b.*\|.*\|", it)]
    assert [it for it in rows if version in it]
