"""Billing: where the money of an account goes, for its Owners only."""
