"""Several processes that share a run's requests, each with threads and pools of its own.

The one that directs them (`coordinator.py`) hands out shares of each block, and puts what they
report together (`merging.py`); they (`child.py`) do what a run in one process does
(`../process_runner.py`).
"""
