"""The one list of permissions, `resource:action` (spec: addresses, section 4). No string is in two groups."""

ACCOUNT = frozenset({
    "account:read", "account:edit", "account:delete",
    "members:read", "members:invite", "members:edit", "members:delete",
    "api-keys:read", "api-keys:create", "api-keys:delete",
    "tokens:read", "tokens:create", "tokens:edit", "tokens:delete",
    "audit-log:read",
    "extensions:read", "extensions:deploy", "extensions:publish", "extensions:delete",
    "billing:read", "billing:edit",
})  # fmt: skip

ADMIN = frozenset({
    "admin:access",
    "system-keys:read", "system-keys:create", "system-keys:delete",
    "system-connections:read", "system-connections:edit", "system-connections:delete",
    "oauth-clients:read", "oauth-clients:create", "oauth-clients:edit", "oauth-clients:delete",
    "platform-audit:read", "platform-audit:edit",
    "users:read", "users:edit",
    "admin-roles:read", "admin-roles:edit",
})  # fmt: skip

SERVICE = frozenset({"auth:introspect", "revocations:read", "system-connections:use"})

ALL = ACCOUNT | ADMIN | SERVICE

OWN = ":own"
