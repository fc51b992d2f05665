"""What an arm, a comparison, a sweep and a run have: each metric once, in the document's order.

The document and its schema, tables, the names in requirements, what two runs have in common,
OpenMetrics and two pages of the documentation are made of these tables.
"""

from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import (
    RUN_METRICS,
    SWEEP_METRICS,
    TOTALS,
    VERDICTS,
)

__all__ = [
    "ARM_METRICS",
    "COMPARISON_METRICS",
    "RUN_METRICS",
    "SWEEP_METRICS",
    "TOTALS",
    "VERDICTS",
]
