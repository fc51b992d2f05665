"""Take the picture of the page that README shows (`make picture`): a real run, in Chromium."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from page.browser import browser
from support.exports import written

from keepalive_bench import analyse, benchmark
from keepalive_bench.plan.plan import Experiment, Plan, Request, Target, Tls, Variation
from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings

PICTURE = Path(__file__).parents[2] / "docs" / "page.png"
_WIDTH, _BELOW = 1200, 12
_LAST = "document.querySelector('#pool').closest('figure').getBoundingClientRect().bottom"
"""What is the last to be seen."""
_UNWANTED = {"machine-busy", "bimodal", "level-shift", "outliers"}
"""What a quiet machine doesn't have: it would be a warning about whoever took the picture."""
_SERVER = ServerSettings(port=8443, tls=True, behaviour=Behaviour(close_after=10, delay_s=0.005))
"""That of README's example."""


def take(picture: Path) -> None:
    """Measure an HTTPS server that closes after 10 requests; the top of the run's page."""
    with ServerProcess(_SERVER) as server:
        run = benchmark(
            Plan(
                Target(f"{server.url}/search"),
                Request(variation=Variation(fields=(("q", ("python", "php")),))),
                Tls(ca_file=CERTIFICATE),
                experiment=Experiment(requests=50, maxsize=1),
            )
        )
    disturbed = {finding.code for finding in analyse(run).findings} & _UNWANTED
    if disturbed:
        sys.exit(f"The machine isn't quiet enough ({', '.join(sorted(disturbed))}): try again.")
    with TemporaryDirectory() as folder, browser(Path(folder) / "profile") as shown:
        page = Path(folder) / "page.html"
        page.write_text(written("html", run), encoding="utf-8")
        shown.open(page, width=_WIDTH)
        shown.picture(picture, height=shown.ask(_LAST) + _BELOW)


if __name__ == "__main__":
    take(PICTURE)
