"""What would help: changes of a model, each verified before it is printed."""
