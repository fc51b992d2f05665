"""Carries out a plan at many places at once: one task on each worker of a Dask cluster."""
