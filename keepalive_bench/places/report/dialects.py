"""Several places, for CI systems: Markdown, test cases, annotations.

Each sets the words of `words.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.places.report import remarks, words
from keepalive_bench.report import github, junit, markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.places.report import Places

_EPOCH = "1970-01-01T00:00:00"
"""Where there is no run, there is no time; Ant's schema wants one."""


def markdown_lines(found: Places) -> Iterator[str]:
    """GitHub's Markdown: the answer first."""
    text = markdown.text
    is_good = not found.lost and all(
        it.is_complete and it.verdict.code == "faster" for it in found.places
    )
    mark = "✅" if is_good else "⚠️"
    yield markdown.headline("kab places", mark, found.requirements, strict=found.strict)
    yield f"**{text(found.sentence)}**\n\n"
    yield from markdown.requirements(found.requirements, strict=found.strict)
    for line in remarks.caveats(found):
        yield f"- ⚠️ {text(line)}\n"
    if found.places:
        yield f"\n### Places\n\n{text(remarks.asked(found))}\n\n"
        yield from markdown.set_table(words.place_table(found))
        for paragraph in (words.together(found), words.SMALL_PRINT):
            yield f"{text(paragraph)}\n\n"
    if lines := [*words.difference_lines(found)]:
        yield "### What differs between places\n\n"
        yield from (f"- {text(line)}\n" for line in lines)
        yield "\n"


def junit_lines(found: Places) -> Iterator[str]:
    """Each place as a test case, and each requirement; what differs is their output."""
    cases = [
        junit.measurement_case(it.name, it.run_info.wall_s, error=it.silence) for it in found.places
    ]
    cases += [junit.measurement_case(it.name, 0.0, error=it.why) for it in found.lost]
    cases += [junit.requirement_case(it, strict=found.strict) for it in found.requirements]
    properties = {"places": f"{found.totals.measured}", "lost": f"{found.totals.lost}"}
    longest_s = max((it.run_info.wall_s for it in found.places), default=0.0)
    began = min((it.run_info.started_at for it in found.places), default=_EPOCH)
    notes = [found.sentence, *remarks.caveats(found), *words.difference_lines(found)]
    took = junit.Took(longest_s, began)
    return junit.suites_lines([junit.suite("kab places", cases, took, properties, notes)])


def annotation_lines(found: Places) -> Iterator[str]:
    """Annotations of a job on GitHub: what was missed, and which places are lost."""
    if not found.totals.measured:
        yield github.annotation("error", "Nothing was measured", found.sentence)
    yield from github.missed(found.requirements, strict=found.strict)
    for line in words.lost_lines(found):
        yield github.annotation("warning", "kab places", line)
