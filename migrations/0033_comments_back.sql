-- Whoever took a comment away may bring it back, for 30 days.
ALTER TABLE note_comments ADD COLUMN deleted_by uuid REFERENCES users ON DELETE SET NULL;
GRANT UPDATE (deleted_by) ON note_comments TO sidebar_user;

CREATE POLICY definer ON note_comments TO sidebar_definer USING (true);
GRANT SELECT, DELETE ON note_comments TO sidebar_definer;
CREATE FUNCTION purge_comments(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH gone AS (DELETE FROM note_comments WHERE deleted_at < before RETURNING 1) SELECT count(*) FROM gone
$$;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION purge_comments(timestamptz) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION purge_comments(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purge_comments(timestamptz) TO sidebar_system;
