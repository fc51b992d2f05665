"""What an arm, a comparison, a sweep and a run have: each metric once, in the document's order.

The document and its schema, tables, the names in requirements, what two runs have in common,
OpenMetrics and two pages of the documentation are made of these tables.
"""
