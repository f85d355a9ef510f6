"""Answers for other services: is this credential good, and what may it do? (product C7)."""
