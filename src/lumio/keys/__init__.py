"""Developer keys: long-lived, no scope of their own, their holder's rights as they are now."""
