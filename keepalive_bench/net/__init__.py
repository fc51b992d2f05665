"""The only room with urllib3 and client sockets in it."""
