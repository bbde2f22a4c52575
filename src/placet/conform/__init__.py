"""Holding recorded runs against a model: readers of logs, token replay, and what a run exercised."""
