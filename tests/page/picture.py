"""Take the picture of the page that README shows (`make picture`): a real run, in Chromium."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from page.browser import browser
from support.exports import written

from keepalive_bench import benchmark
from keepalive_bench.plan.plan import Experiment, Plan, Request, Target, Tls, Variation
from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings

PICTURE = Path(__file__).parents[2] / "docs" / "page.png"
_SIZE = (1200, 1080)
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
    with TemporaryDirectory() as folder, browser(Path(folder) / "profile") as shown:
        page = Path(folder) / "page.html"
        page.write_text(written("html", run), encoding="utf-8")
        width, height = _SIZE
        shown.open(page, width=width)
        shown.picture(picture, height=height)


if __name__ == "__main__":
    take(PICTURE)
