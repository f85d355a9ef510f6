"""Revocations: what became of one, node by node."""
