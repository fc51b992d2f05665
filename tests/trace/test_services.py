"""gunicorn, pytest and pip with a tracer in them, held against the servers that they ask."""
