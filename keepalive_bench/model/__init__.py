"""What a plan, an exchange, a connection and a run *are*: frozen values, no I/O of any kind."""
