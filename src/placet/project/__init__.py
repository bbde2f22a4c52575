"""The user's project: its files, its configuration, and the workers that share out the models."""
