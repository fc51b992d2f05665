"""What the rules say of generated histories: a table by cause."""

from __future__ import annotations

import argparse

from support.histories.draw import CAUSES
from support.histories.score import score, table


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=20, help="of each cause")
    parser.add_argument("--cause", choices=CAUSES, action="append")
    options = parser.parse_args()
    scores = [score(cause, range(options.histories)) for cause in options.cause or CAUSES]
    print(table(scores))


main()
