"""A probe as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.probe.report import words
from keepalive_bench.probe.report.lanes import lanes
from keepalive_bench.probe.report.timeline import timeline
from keepalive_bench.report import webpage
from keepalive_bench.report.page import summary
from keepalive_bench.report.page.markup import element, prose, set_table, verbatim
from keepalive_bench.report.page.summary import section
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.probe.probed import Probed, Remark
    from keepalive_bench.probe.report import ProbeReport

_LOOKS = {"kept": "faster", "closed": "mixed", "silent": "not-measured"}
"""What an answer looks like: as a good verdict, or another."""


def page_lines(report: ProbeReport) -> Iterator[str]:
    """The page. It loads nothing, has no script, and its policy forbids both."""
    yield from webpage.document(_title(report.probed), _content(report))


def _title(probed: Probed) -> str:
    return f"How {probed.record.asked.url} keeps connections"


def _content(report: ProbeReport) -> Iterator[Element]:
    probed = report.probed
    yield _header(report)
    picture = timeline(probed)
    if picture is not None:
        yield section("What happened, by idle time", "lanes", lanes(picture))
    if probed.persistence != "silent":
        table = set_table(words.found_table(probed), captioned=False)
        yield section(words.FOUND, "found", table)
    if probed.advice:
        yield section(words.SET, "set", *_settings(probed))
    if probed.behaviours:
        table = set_table(words.behaviour_table(probed), captioned=False)
        yield section(words.KEEPS, "keeps", table)
    yield section(words.SENT, "sent", *_sent(probed))


def _header(report: ProbeReport) -> Element:
    probed, info = report.probed, report.probed.record.info
    who = element("strong", f"kab {info.kab}")
    stopped = ", interrupted" if info.interrupted else ""
    at = element("time", words.started(probed), datetime=info.started_at)
    is_mixed = words.is_warned(probed) and probed.persistence == "kept"
    style = "mixed" if is_mixed else _LOOKS[probed.persistence]
    said = [*filter(None, (words.advice_on_silence(probed), words.consistent(probed)))]
    return element(
        "header",
        element("p", who, " · ", at, stopped, class_="origin"),
        element("h1", _title(probed)),
        *summary.answer(probed.sentence, style, report.requirements, strict=report.strict),
        *(element("p", *prose(it), class_="remark") for it in said),
        *_remarks(probed),
    )


def _remarks(probed: Probed) -> Iterator[Element]:
    """What to be careful with, and whether a balancer in front makes errors."""
    items = [_remark(it) for it in words.remarks(probed)]
    if items:
        yield element("ul", *items, class_="findings")


def _remark(it: Remark) -> Element:
    word = "Warning: " if it.severity == "warning" else "Note: "
    return element("li", element("strong", word), *prose(it.text), class_=it.severity)


def _settings(probed: Probed) -> Iterator[Element]:
    yield element("ul", *(element("li", *prose(it)) for it in probed.advice))
    if probed.code:
        lines = "\n".join(map(printable, probed.code.splitlines()))
        # What scrolls has to be reachable with the keyboard.
        name = "Code that does it with urllib3"
        code = verbatim("code", lines)
        yield element("pre", code, class_="paste", role="region", aria_label=name, tabindex="0")


def _sent(probed: Probed) -> Iterator[Element]:
    said = f"{words.requested(probed)}: {words.sent(probed)}"
    yield element("p", *prose(said), class_="remark")
    if probed.record.connections:
        table = set_table(words.connection_table(probed), narrow=True, captioned=False)
        yield element("details", element("summary", "Each of them"), table)
