"""What a run found, as data, and the outputs that show it."""
