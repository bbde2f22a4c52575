"""The Model Checking Contest's examinations: each decided by whatever is cheapest first, and left open where nothing tells."""
