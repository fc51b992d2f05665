"""Simulated worlds whose truth is known, a file for each question that kab's statistics answer."""
