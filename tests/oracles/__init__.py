"""Brute-force definitions that engines and checks are held against; slow and short on purpose."""
