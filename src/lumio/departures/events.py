"""What is recorded about departures; each key, popout token and session that ends has its own event beside."""

ROLE_CHANGED = "member.role_changed"
REMOVED = "member.removed"
LEFT = "member.left"
SUB_ACCOUNT_DELETED = "sub_account.deleted"
ACCOUNT_CLOSED = "account.closed"
