-- What lists and links need of a note beside its text, written with the projection.
ALTER TABLE notes
    ADD COLUMN excerpt text NOT NULL DEFAULT '',
    -- other names it is linked by (its frontmatter's), in lower case
    ADD COLUMN aliases text[] NOT NULL DEFAULT '{}';
CREATE INDEX notes_aliases ON notes USING gin (aliases) WHERE aliases <> '{}';
CREATE INDEX notes_tags ON notes USING gin (tags) WHERE tags <> '{}';
CREATE INDEX note_shares_made ON note_shares (created_by);
GRANT UPDATE (excerpt, aliases) ON notes TO sidebar_sync;
-- A passage that only moved keeps its row.
GRANT UPDATE (ordinal) ON chunks TO sidebar_sync;
-- Links of one's own notes are asked for by their text when a note of that title is made.
CREATE INDEX note_links_open ON note_links (to_title) WHERE to_id IS NULL;

-- The notes that who is asking shares with anybody. Asked once a page, not once a row.
CREATE FUNCTION notes_shared_by_me() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH RECURSIVE given AS (
        SELECT s.note_id, s.folder_id FROM note_shares s
        WHERE s.created_by = app_user_id() AND (s.expires_at IS NULL OR s.expires_at > now())
    ),
    open_folders AS (
        SELECT folder_id AS id FROM given WHERE folder_id IS NOT NULL
        UNION
        SELECT f.id FROM folders f JOIN open_folders o ON f.parent_id = o.id
    )
    SELECT note_id FROM given WHERE note_id IS NOT NULL
    UNION
    SELECT n.id FROM notes n JOIN open_folders o ON n.folder_id = o.id
$$;

-- Who sees a note, what they may do, and whether they see the folder it is in. For the rooms, and
-- for whoever sees the note.
CREATE FUNCTION note_readers(note uuid) RETURNS TABLE (user_id uuid, access text, sees_folder boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH RECURSIVE above AS (
        SELECT f.id, f.parent_id FROM folders f JOIN notes n ON n.folder_id = f.id WHERE n.id = note
        UNION
        SELECT f.id, f.parent_id FROM folders f JOIN above a ON f.id = a.parent_id
    ),
    readers AS (
        SELECT n.owner_id AS user_id, 'owner' AS access, true AS sees_folder FROM notes n WHERE n.id = note
        UNION ALL
        SELECT s.user_id, s.access, s.folder_id IS NOT NULL FROM note_shares s
        WHERE s.user_id IS NOT NULL AND (s.expires_at IS NULL OR s.expires_at > now())
          AND (s.note_id = note OR s.folder_id IN (SELECT id FROM above))
    )
    SELECT r.user_id,
           (array_agg(r.access ORDER BY array_position(ARRAY['owner', 'edit', 'comment', 'view'], r.access)))[1],
           bool_or(r.sees_folder)
    FROM readers r
    WHERE current_setting('role') = 'sidebar_sync' OR note_access(note) IS NOT NULL
    GROUP BY r.user_id
$$;

-- Whether anybody but the owner can reach a note.
CREATE FUNCTION note_is_shared(note uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH RECURSIVE above AS (
        SELECT f.id, f.parent_id FROM folders f JOIN notes n ON n.folder_id = f.id WHERE n.id = note
        UNION
        SELECT f.id, f.parent_id FROM folders f JOIN above a ON f.id = a.parent_id
    )
    SELECT EXISTS (SELECT FROM note_shares s
                   WHERE (s.note_id = note OR s.folder_id IN (SELECT id FROM above))
                     AND (s.expires_at IS NULL OR s.expires_at > now()))
$$;

-- Who wrote in a stretch of a note's log, in the shape of note_versions.authors. For the rooms.
CREATE FUNCTION note_authors(note uuid, after bigint, upto bigint) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'user_id', a.author_id, 'name', coalesce(u.display_name, 'A visitor'), 'model', r.model))), '[]')
    FROM (SELECT DISTINCT author_id, run_id FROM note_updates
          WHERE note_id = note AND seq > after AND seq <= upto) a
    LEFT JOIN users u ON u.id = a.author_id
    LEFT JOIN note_runs r ON r.id = a.run_id
$$;

-- The notes in which these words stand, for lists. Word search as in search_words, without ranking.
CREATE FUNCTION notes_with_words(typed text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT DISTINCT k.source_id FROM chunks k
    WHERE k.source_kind = 'note' AND k.tsv @@ (SELECT words_query(typed))
      AND (k.owner_id = app_user_id() OR k.source_id IN (SELECT s.note_id FROM shared_notes() s))
$$;

-- The note that a link of this owner's names: by title, else by another name, else by the title after a
-- folder's name. For the rooms, who see all notes.
CREATE FUNCTION note_named(owner uuid, name text) RETURNS uuid
LANGUAGE sql STABLE
SET search_path = pg_catalog, public
AS $$
    SELECT coalesce(
        (SELECT n.id FROM notes n WHERE n.owner_id = owner AND lower(n.title) = lower(name)
            AND n.deleted_at IS NULL AND n.kind <> 'template' ORDER BY n.id LIMIT 1),
        (SELECT n.id FROM notes n WHERE n.aliases @> ARRAY[lower(name)] AND n.aliases <> '{}'
            AND n.owner_id = owner AND n.deleted_at IS NULL ORDER BY n.id LIMIT 1),
        (SELECT n.id FROM notes n WHERE name LIKE '%/%' AND n.owner_id = owner
            AND lower(n.title) = lower(regexp_replace(name, '^.*/', ''))
            AND n.deleted_at IS NULL AND n.kind <> 'template' ORDER BY n.id LIMIT 1))
$$;
REVOKE ALL ON FUNCTION note_named(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_named(uuid, text) TO sidebar_sync;

CREATE POLICY definer ON note_updates FOR SELECT TO sidebar_definer USING (true);
GRANT SELECT ON note_updates TO sidebar_definer;
CREATE POLICY definer ON note_runs FOR SELECT TO sidebar_definer USING (true);
GRANT SELECT ON note_runs TO sidebar_definer;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION notes_shared_by_me() OWNER TO sidebar_definer;
ALTER FUNCTION note_readers(uuid) OWNER TO sidebar_definer;
ALTER FUNCTION note_is_shared(uuid) OWNER TO sidebar_definer;
ALTER FUNCTION note_authors(uuid, bigint, bigint) OWNER TO sidebar_definer;
ALTER FUNCTION notes_with_words(text) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION notes_shared_by_me(), note_readers(uuid), note_is_shared(uuid),
    note_authors(uuid, bigint, bigint), notes_with_words(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notes_shared_by_me(), notes_with_words(text) TO sidebar_user;
GRANT EXECUTE ON FUNCTION note_readers(uuid), note_is_shared(uuid) TO sidebar_user, sidebar_sync;
GRANT EXECUTE ON FUNCTION note_authors(uuid, bigint, bigint) TO sidebar_sync;
GRANT EXECUTE ON FUNCTION note_access(uuid) TO sidebar_definer;
