"""A run's arms, their comparisons and the verdict: pure, no clocks, files or printing."""
