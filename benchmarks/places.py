"""What many places take: the bytes of a result, and the memory and the time of merging them.

The table goes into docs/places.md, unless it is a quick run. The runs are real ones, on a server on
loopback: what was drawn would be compressed otherwise.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from document import PLACES, table, write_between_marks
from processes import finished, kab

from keepalive_bench import Run
from keepalive_bench.server import ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

EXCHANGES, QUICK_EXCHANGES = 10_000, 400
PLACES_MERGED, QUICK_PLACES = (1, 25, 50, 100), (1, 2, 4)
AT_MOST_BYTES, AT_MOST_PEAK_MB = 50, 500
AT_MOST_BENT = 1.1
"""The last place takes at most so many times what one of the first does."""
_AT_MOST_S = 3600.0
_MB = 1_000_000
_TLS = "-k"
"""The option of those that are measured over TLS."""
_KINDS = {
    "pairs, one at a time": (),
    "8 at a time": ("-c", "8"),
    "500 requests a second": ("--rate", "500/s", "-c", "8", "--arm", "pooled"),
    "pairs over TLS": (_TLS,),
    "a TLS connection each, 300 a second": (
        *(_TLS, "--arm", "unpooled"),
        *("--rate", "300/s", "-c", "8"),
    ),
}


class Merged(NamedTuple):
    """What a call of `kab places` took."""

    places: int
    took_s: float
    peak_bytes: int


def main() -> int:
    """Measure and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    is_quick = parser.parse_args().quick
    exchanges = QUICK_EXCHANGES if is_quick else EXCHANGES
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (
            ServerProcess(ServerSettings()) as plain,
            ServerProcess(ServerSettings(tls=True)) as secured,
        ):
            bytes_each = {
                kind: measured(
                    secured.url if _TLS in options else plain.url,
                    exchanges,
                    options,
                    folder / f"{number}.json.gz",
                )
                for number, (kind, options) in enumerate(_KINDS.items())
            }
        runs = [merged(folder, it) for it in (QUICK_PLACES if is_quick else PLACES_MERGED)]
    text, is_met = page(exchanges, bytes_each, runs)
    print(text)
    if not is_quick:
        write_between_marks("places", text, PLACES)
    return 0 if is_met else 1


def measured(url: str, exchanges: int, options: Sequence[str], path: Path) -> float:
    """Measure, and keep the run as a worker sends it; the bytes of an exchange."""
    arms = 1 if "--arm" in options else 2
    command = (kab(), "run", url, "--quiet", "-n", f"{exchanges // arms}", *options)
    finished((*command, "--json", str(path)), _AT_MOST_S)
    run = Run.load(path)
    run.save(path)
    return path.stat().st_size / len(run.exchanges)


def merged(folder: Path, places: int) -> Merged:
    """Call `kab places` with so many copies of the first run."""
    names = [folder / f"place-{number}.json.gz" for number in range(places)]
    for name in names:
        shutil.copyfile(folder / "0.json.gz", name)
    took = finished((kab(), "places", *map(str, names)), _AT_MOST_S)
    return Merged(places, took.wall_s, took.peak_bytes)


def bent(runs: Sequence[Merged], what: str) -> float:
    """How much steeper the second half of a line through the figures is than the first."""
    middle = len(runs) // 2 + 1
    slopes = [
        linear_regression([it.places for it in part], [getattr(it, what) for it in part]).slope
        for part in (runs[:middle], runs[middle - 1 :])
    ]
    return slopes[1] / slopes[0]


def page(exchanges: int, bytes_each: dict[str, float], runs: Sequence[Merged]) -> tuple[str, bool]:
    """The tables, and what they come to, in Markdown; whether all targets are met."""
    sizes = [(kind, f"{it:.1f}") for kind, it in bytes_each.items()]
    rows = [(f"{it.places}", f"{it.took_s:.1f}", f"{it.peak_bytes / _MB:.0f}") for it in runs]
    largest, peak_mb = max(bytes_each.values()), runs[-1].peak_bytes / _MB
    steeper = bent(runs, "took_s")
    is_met = largest <= AT_MOST_BYTES and peak_mb <= AT_MOST_PEAK_MB and steeper <= AT_MOST_BENT
    told = (
        f"Each place has {exchanges:,} exchanges. Targets: at most {AT_MOST_BYTES} bytes an "
        f"exchange, at most {AT_MOST_PEAK_MB} MB of memory, and at most {AT_MOST_BENT} times as "
        f"long for one of the last places as for one of the first (measured: {steeper:.2f}). "
        f"{'All are met' if is_met else 'Not all are met'}."
    )
    of_results = table(("a result", "bytes an exchange"), sizes)
    of_merging = table(("places merged", "seconds", "peak of memory, MB"), rows)
    return f"{of_results}\n{of_merging}\n{told}\n", is_met


if __name__ == "__main__":
    sys.exit(main())
