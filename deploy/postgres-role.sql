-- The role that the service runs under in production: it may do its work, but of the audit log it may only read and add.
--
--   psql -d rushlight -v database=rushlight -v owner=rushlight_owner -v service=rushlight -f postgres-role.sql
--
-- The owner's role owns the tables and runs 'rushlight migrate'; nobody else signs in with it. Run this once after the first
-- migration, as the owner or a superuser, and again after every later migration and every restore: schema.sh does both. RUSHLIGHT_DATABASE_URL of the service then
-- names the service's role. Its password is set by you: ALTER ROLE rushlight PASSWORD '...'.
\set ON_ERROR_STOP on
SELECT format('CREATE ROLE %I LOGIN', :'service')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service') \gexec

BEGIN;
GRANT CONNECT ON DATABASE :"database" TO :"service";
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"service";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"service";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"service";
-- What was written or signed is for ever: no change, no removal, not even by the service itself.
REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES
    ON audit_events, audit_tiles, audit_checkpoints, audit_cosignatures FROM :"service";
-- The head row gives out numbers; it is never removed. The schema's revision is the owner's business.
REVOKE DELETE ON audit_head FROM :"service";
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM :"service";
-- Tables of later migrations are reachable at once; the audit log's are named above and need this file to be run again.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO :"service";
COMMIT;
