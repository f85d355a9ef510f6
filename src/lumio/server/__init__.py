"""The operator's verbs: serve, migrate, and what else a running installation needs."""
