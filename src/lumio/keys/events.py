"""What is recorded about developer keys."""

CREATED = "api_key.created"
ROTATED = "api_key.rotated"
REVOKED = "api_key.revoked"
