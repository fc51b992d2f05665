"""Does a program reuse its connections: `kab trace`."""
