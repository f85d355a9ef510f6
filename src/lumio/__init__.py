"""Lumio decides who may do what on a developer platform, and proves afterwards who did."""
