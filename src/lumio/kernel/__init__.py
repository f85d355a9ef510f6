"""The words of the house: ids, clock, secrets, errors, events, pages. Standard library only."""
