"""The user's state machine: a transition system made as small as what can be seen of it allows, and written out."""
