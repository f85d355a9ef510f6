"""Names of the audit log's own events."""

EXPORTED = "audit_log.exported"
EXPORT_TARGET = "audit_log"
