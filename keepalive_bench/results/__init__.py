"""What was measured: exchanges and connections in columns, a run, and its file."""
