"""Runs of a net: seeded, told in the words of the model, and counted over many replications."""
