"""Certificates: evidence written out for others to check, and the checker, which trusts none of those who made it."""
