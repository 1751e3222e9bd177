-- Storage that stays in order: bytes are claimed before they are stored, and go when nothing names them.

-- When somebody was last about to name these bytes. A row is there before its bytes are, and the collector takes
-- the row before it takes the bytes, so that the two never work on the same blob at once.
ALTER TABLE blobs ADD COLUMN claimed_at timestamptz NOT NULL DEFAULT now();
CREATE POLICY system ON blobs TO sidebar_system USING (true);
GRANT SELECT, INSERT, DELETE, UPDATE (claimed_at) ON blobs TO sidebar_system;

-- Forgets a blob that nothing names and that was not claimed since; whether it did. Until the transaction ends,
-- whoever claims it waits.
CREATE FUNCTION forget_blob(whose uuid, hash bytea, before timestamptz) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    DELETE FROM blobs WHERE owner_id = whose AND sha256 = hash AND claimed_at < before;
    RETURN FOUND;
EXCEPTION WHEN foreign_key_violation THEN
    RETURN false;
END $$;
REVOKE ALL ON FUNCTION forget_blob(uuid, bytea, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_blob(uuid, bytea, timestamptz) TO sidebar_system;

-- Deletes for good what has been longest in the person's bin, until the rest has at most so many bytes; how many
-- files that were.
CREATE FUNCTION trim_bin(most bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH binned AS (SELECT id, sum(size) OVER (ORDER BY deleted_at DESC, id DESC) AS upto FROM files
                    WHERE owner_id = app_user_id() AND deleted_at IS NOT NULL),
    gone AS (DELETE FROM files WHERE owner_id = app_user_id() AND deleted_at IS NOT NULL
             AND id IN (SELECT id FROM binned WHERE upto > most) RETURNING id),
    passages AS (DELETE FROM chunks WHERE source_id IN (SELECT id FROM gone))
    SELECT count(*) FROM gone
$$;

-- Files that are kept and not read: there is nothing wrong with them.
ALTER TABLE files DROP CONSTRAINT files_state_check;
ALTER TABLE files ADD CONSTRAINT files_state_check
    CHECK (state IN ('waiting', 'reading', 'indexing', 'ready', 'kept', 'failed'));

-- How far the reading again of everything of a person is; the last time it was asked for.
CREATE TABLE reindexings (
    owner_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    -- things looked at, and of how many; how many of them had changed, or could not be read
    done integer NOT NULL DEFAULT 0,
    of integer NOT NULL DEFAULT 0,
    changed integer NOT NULL DEFAULT 0,
    -- where it goes on: files, then notes, then conversations
    stage text NOT NULL DEFAULT 'files' CHECK (stage IN ('files', 'notes', 'conversations')),
    after uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
ALTER TABLE reindexings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON reindexings TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY system ON reindexings TO sidebar_system USING (true);
GRANT SELECT, INSERT, UPDATE ON reindexings TO sidebar_user;
GRANT SELECT ON reindexings TO sidebar_system;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION trim_bin(bigint) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION trim_bin(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trim_bin(bigint) TO sidebar_user;

CREATE POLICY migration ON schedules TO CURRENT_USER USING (true);
INSERT INTO schedules (kind, every) VALUES ('collect_blobs', '6 hours');
DROP POLICY migration ON schedules;
