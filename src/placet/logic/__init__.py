"""Formulas over states: predicates here; CTL and LTL stand on them."""
