"""Analysis in, text out: nothing is measured, and no file is written, in here."""
