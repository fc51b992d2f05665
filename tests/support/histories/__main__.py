"""What the rules say of generated histories: a table by cause, or one history in detail."""

from __future__ import annotations

import argparse

from support.histories.causes import CAUSES, history_of
from support.histories.detail import detail
from support.histories.score import score, table


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(prog="support.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=20, help="of each cause")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--cause", choices=CAUSES, action="append")
    parser.add_argument("--show", type=int, metavar="SEED", help="one history of a cause")
    options = parser.parse_args()
    causes = options.cause or list(CAUSES)
    if options.show is not None:
        text = "\n\n".join(f"{it}\n{detail(history_of(it, options.show))}" for it in causes)
    else:
        seeds = range(options.first, options.first + options.histories)
        text = table([score(cause, seeds) for cause in causes])
    print(text)  # noqa: T201  # it is what this is for


main()
