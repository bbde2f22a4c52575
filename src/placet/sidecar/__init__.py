"""Sidecars: what an imported definition does not say of itself, and how it is written, read and put to use."""
