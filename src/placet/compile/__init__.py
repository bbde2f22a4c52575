"""From the syntax tree over the IR to nets."""
