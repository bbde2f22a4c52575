"""Coordinates for graphs, for drawings and for formats that carry a diagram."""
