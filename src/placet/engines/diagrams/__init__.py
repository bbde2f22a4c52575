"""Sets of states as decision diagrams: reachability by saturation, exact numbers, predicates, branching time, traces."""
