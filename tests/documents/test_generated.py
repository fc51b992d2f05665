"""What `make docs` writes is current."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from documents.generate import derived

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = derived()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_what_is_derived_from_the_code_is_current(path: Path) -> None:
    assert path.read_text("utf-8") == TEXTS[path], "run `make docs`"
