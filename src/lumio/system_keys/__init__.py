"""System keys: long-lived keys that authenticate an internal service, each with its own list of permissions."""
