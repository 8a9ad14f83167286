"""The REST door: parses, calls one function of the lifecycle, renders."""
