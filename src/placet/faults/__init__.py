"""Faults: which ones are considered, and weaving them into a net through roles and channels alone."""
