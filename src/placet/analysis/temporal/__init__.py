"""Temporal logic over reachability graphs: CTL by fixpoints, LTL by automata; on part of a graph with three values."""
