"""What is recorded about system keys: the same names as for every API key, told apart by the target's type."""

CREATED = "api_key.created"
REVOKED = "api_key.revoked"
TARGET = "system_key"
