"""Plan → Run: who goes when, the loop that sends, and the processes that share a run."""
