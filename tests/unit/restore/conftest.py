"""Fixtures of these tests: the ground on both databases."""

from tests.support.ground import ground

__all__ = ["ground"]
