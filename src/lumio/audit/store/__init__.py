"""SQL of the audit log: sealing, verifying, reading, purging."""
