"""README.md and other pages show what their commands really print."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from documents.sessions import PAGES, Walk, as_far_as, labels, rewritten, steps

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_commands_print_what_is_shown(path: Path, tmp_path: Path) -> None:
    page = path.read_text("utf-8")
    with closing(Walk(page, tmp_path)) as walk:
        for command, shown in steps(page):
            printed = walk.printed(command)
            found = as_far_as(shown, printed)
            assert labels(shown) <= labels(found), f"{command}\n{printed}"


PAGE = """\
```python
# three.py
print(3)
```

```console
$ python three.py
2
$ printf 'one\\n\\ntwo\\n' \\
  | cat
one
…
```
"""


def test_outputs_are_written_anew(tmp_path: Path) -> None:
    with closing(Walk(PAGE, tmp_path)) as walk:
        assert rewritten(PAGE, walk) == PAGE.replace("\n2\n", "\n3\n")


def test_labels_are_what_does_not_differ_from_run_to_run() -> None:
    report = "Reusing it is 2.1× faster here\n! 3 requests failed. So\n  p50    3 ms\n    ▂ ▃\n"
    assert labels(report) == {"Reusing it is #×", "! # requests failed#", "p50"}
    assert labels("4\n") == {"4"}


def test_what_a_list_has_in_it_may_differ() -> None:
    first, second = (f"Two\n! Warnings: {it} in here\n" for it in ("one", "another"))
    assert labels(first) == labels(second) == {"Two", "! Warnings:"}


def test_places_in_programs_are_told_to_the_line() -> None:
    report = "Two opened one\n! it.py:12 in get: 2 requests\n"
    assert labels(report) == {"Two opened one", "! it#py:# in get:", "it.py:12"}


def test_a_file_may_be_in_a_folder(tmp_path: Path) -> None:
    page = PAGE.replace("# three.py", "# .github/three.py")
    with closing(Walk(page, tmp_path)):
        assert (tmp_path / ".github" / "three.py").exists()


def test_a_file_has_all_that_its_block_shows(tmp_path: Path) -> None:
    with closing(Walk(PAGE, tmp_path)):
        assert (tmp_path / "three.py").read_text("utf-8") == "# three.py\nprint(3)\n"
