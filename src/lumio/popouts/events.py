"""What is recorded about popout tokens."""

CREATED = "popout_token.created"
UPDATED = "popout_token.updated"
REVOKED = "popout_token.revoked"
