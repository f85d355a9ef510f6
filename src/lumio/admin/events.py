"""What is recorded about people and admin roles. `user.changed` stands beside the events that say what changed."""

USER_CHANGED = "user.changed"
USER_SUSPENDED = "user.suspended"
USER_REINSTATED = "user.reinstated"
ROLE_GRANTED = "admin_role.granted"
ROLE_REVOKED = "admin_role.revoked"
ROLE_CREATED = "admin_role.created"
ROLE_CHANGED = "admin_role.changed"
ROLE_DELETED = "admin_role.deleted"

BESIDE = (USER_SUSPENDED, USER_REINSTATED, ROLE_GRANTED, ROLE_REVOKED)
"""Those that no action promises by itself, since one request may cause several of them."""

USER = "user"
ROLE = "admin_role"
