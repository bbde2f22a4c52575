"""What a net is: places, transitions, arcs, markings, the textbook firing rule, and what places and transitions are for."""
