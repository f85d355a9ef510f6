"""The spine: carrier, kind, verify, principal, limit, guard, perform. Who has read it has read who may do what."""
