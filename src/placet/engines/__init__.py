"""How states are explored: one protocol, one file an engine."""
