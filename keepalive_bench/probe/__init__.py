"""How long an endpoint keeps a connection, how it ends it, and what a client is to set for that."""
