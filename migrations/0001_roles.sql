-- The roles that the server takes on. None can log in and none owns a table:
--   sidebar_none     a connection at rest; may do nothing
--   sidebar_user     a person, named by app.user_id, bound by row-level security
--   sidebar_system   what happens before or without a person; sees no conversation and no passage
--   sidebar_definer  owns the few functions that must look across people
-- Roles belong to the whole cluster, so another database may have made them already.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['sidebar_none', 'sidebar_user', 'sidebar_system', 'sidebar_definer'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        EXECUTE format('GRANT %I TO CURRENT_USER', role);
    END LOOP;
END $$;

CREATE EXTENSION IF NOT EXISTS vector;

GRANT USAGE ON SCHEMA public TO sidebar_user, sidebar_system, sidebar_definer;

-- Who is asking; null where nobody is.
CREATE FUNCTION app_user_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.user_id', true), '')::uuid;

-- Facts about the server itself.
CREATE TABLE settings (
    name text PRIMARY KEY,
    value bytea NOT NULL
);
ALTER TABLE settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON settings TO sidebar_system USING (true);
GRANT SELECT, INSERT, UPDATE ON settings TO sidebar_system;
