"""Compensation coverage: every fault that a saga must survive, as obligations that are counted, each proved or refuted."""
