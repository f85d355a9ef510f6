-- Two roles: one owns the schema (migrations, purge, erasure), one serves and can add to the audit log, never change it.
--
-- Run as the owner, after each `lumio-server migrate`:
--     psql -v serving=lumio_serving -f roles.sql "$LUMIO_DATABASE_ADMIN_URL"
-- The serving role must exist: CREATE ROLE lumio_serving LOGIN PASSWORD '…'.
-- Servers get LUMIO_DATABASE_URL with the serving role alone; the operator's shell also gets LUMIO_DATABASE_ADMIN_URL.

\set ON_ERROR_STOP on
BEGIN;

GRANT USAGE ON SCHEMA public TO :"serving";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"serving";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"serving";
GRANT EXECUTE ON FUNCTION lumio_audit_partition(integer) TO :"serving";

-- Sealed events, their places, and what a purge leaves: add and read.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_log, audit_seal, audit_checkpoint, audit_checkpoint_account FROM :"serving";
-- What only a purge and a legal hold write.
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_held, audit_hold FROM :"serving";
-- The journal: rows come and are sealed, none is edited.
REVOKE UPDATE, TRUNCATE ON audit_hot FROM :"serving";
-- The days of the sealed log are reached through the whole log alone.
SELECT format('REVOKE ALL ON %s FROM %I', inhrelid::regclass, :'serving')
FROM pg_inherits WHERE inhparent IN ('audit_log'::regclass, 'audit_seal'::regclass) \gexec
-- Dropping a day is the owner's.
REVOKE ALL ON FUNCTION lumio_audit_drop(integer) FROM PUBLIC, :"serving";

COMMIT;
