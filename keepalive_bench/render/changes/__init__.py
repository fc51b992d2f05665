"""A `Change`, or several, as text: one table of words and numbers, and a file for each dialect."""
