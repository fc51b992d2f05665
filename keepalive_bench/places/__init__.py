"""Runs of the same requests at several places → what reuse is worth at each, and what differs."""
