"""Why connections are opened and who ended them, from plain records; this knows no arms."""
