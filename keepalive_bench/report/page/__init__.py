"""The parts of the page: its sections, the data of its charts, and the files that draw them."""
