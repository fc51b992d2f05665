"""Statistics: floats in, floats out. Every formula names its source."""
