-- Notes. The truth of a note is its log of Yjs updates; `markdown` and what is derived from it are
-- projections of it, written by one function. A fifth role, `sidebar_sync`, is what the rooms are:
-- it writes the log and the projections of any note, and can reach nothing else.
DO $$
BEGIN
    BEGIN
        CREATE ROLE sidebar_sync NOLOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END;
    GRANT sidebar_sync TO CURRENT_USER;
END $$;
GRANT USAGE ON SCHEMA public TO sidebar_sync;

-- The link that an anonymous visitor came by; null for everybody else.
CREATE FUNCTION app_share_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.share_id', true), '')::uuid;

CREATE TABLE folders (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    parent_id uuid REFERENCES folders ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT folders_name_unique UNIQUE NULLS NOT DISTINCT (owner_id, parent_id, name)
);

CREATE TABLE notes (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    folder_id uuid REFERENCES folders ON DELETE SET NULL,
    kind text NOT NULL DEFAULT 'note' CHECK (kind IN ('note', 'template', 'daily', 'scratchpad')),
    -- for a daily note: its day
    day date,
    title text NOT NULL DEFAULT '',
    pinned boolean NOT NULL DEFAULT false,
    -- whether models may edit directly here; else they propose
    model_edits boolean NOT NULL DEFAULT false,
    -- the last committed update
    seq bigint NOT NULL DEFAULT 0,
    -- the projection, and the update it is of
    markdown text NOT NULL DEFAULT '',
    markdown_seq bigint NOT NULL DEFAULT 0,
    words integer NOT NULL DEFAULT 0,
    tags text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX notes_one_a_day ON notes (owner_id, day) WHERE kind = 'daily' AND deleted_at IS NULL;
CREATE UNIQUE INDEX notes_one_scratchpad ON notes (owner_id) WHERE kind = 'scratchpad' AND deleted_at IS NULL;
CREATE INDEX notes_list ON notes (owner_id, pinned DESC, updated_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX notes_bin ON notes (owner_id, deleted_at DESC) WHERE deleted_at IS NOT NULL;
CREATE INDEX notes_title ON notes (owner_id, lower(title)) WHERE deleted_at IS NULL;
CREATE INDEX notes_folder ON notes (folder_id);

-- The log. Loaded in the order of `seq`, merged, and applied once.
CREATE TABLE note_updates (
    note_id uuid NOT NULL REFERENCES notes ON DELETE CASCADE,
    seq bigint NOT NULL,
    update bytea NOT NULL,
    -- who wrote it, as the server knows it; null for a visitor by link
    author_id uuid REFERENCES users ON DELETE SET NULL,
    -- the model's run that wrote it on the author's behalf
    run_id uuid,
    server_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, seq)
);
ALTER TABLE note_updates ALTER COLUMN update SET STORAGE EXTERNAL;

-- Everything up to `seq`, merged.
CREATE TABLE note_snapshots (
    note_id uuid PRIMARY KEY REFERENCES notes ON DELETE CASCADE,
    seq bigint NOT NULL,
    state bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A share gives access to a note or a folder with all in it: to a member, or to whoever has a link.
CREATE TABLE note_shares (
    id uuid PRIMARY KEY,
    note_id uuid REFERENCES notes ON DELETE CASCADE,
    folder_id uuid REFERENCES folders ON DELETE CASCADE,
    -- the member; null for a link
    user_id uuid REFERENCES users ON DELETE CASCADE,
    token_hash bytea UNIQUE,
    password_hash text,
    access text NOT NULL CHECK (access IN ('view', 'comment', 'edit')),
    expires_at timestamptz,
    created_by uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((note_id IS NULL) <> (folder_id IS NULL)),
    CHECK ((user_id IS NULL) <> (token_hash IS NULL)),
    CONSTRAINT note_shares_once UNIQUE NULLS NOT DISTINCT (note_id, folder_id, user_id, token_hash)
);
CREATE INDEX note_shares_user ON note_shares (user_id);
CREATE INDEX note_shares_note ON note_shares (note_id);
CREATE INDEX note_shares_folder ON note_shares (folder_id);

-- What is shared with who is asking, each note once with the most that is granted. Runs as the
-- definer because a share of a folder reaches notes and folders that the asker's policies cannot see.
CREATE FUNCTION shared_notes() RETURNS TABLE (note_id uuid, access text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH RECURSIVE granted AS (
        SELECT s.note_id, s.folder_id, s.access FROM note_shares s
        WHERE (s.user_id = app_user_id() OR s.id = app_share_id())
          AND (s.expires_at IS NULL OR s.expires_at > now())
    ),
    open_folders AS (
        SELECT folder_id AS id, access FROM granted WHERE folder_id IS NOT NULL
        UNION
        SELECT f.id, o.access FROM folders f JOIN open_folders o ON f.parent_id = o.id
    ),
    reached AS (
        SELECT g.note_id, g.access FROM granted g WHERE g.note_id IS NOT NULL
        UNION ALL
        SELECT n.id, o.access FROM notes n JOIN open_folders o ON n.folder_id = o.id
    )
    SELECT r.note_id,
           (array_agg(r.access ORDER BY array_position(ARRAY['edit', 'comment', 'view'], r.access)))[1]
    FROM reached r JOIN notes n ON n.id = r.note_id AND n.deleted_at IS NULL
    GROUP BY r.note_id
$$;

-- The folders shared with who is asking, and those below them.
CREATE FUNCTION shared_folders() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH RECURSIVE open_folders AS (
        SELECT s.folder_id AS id FROM note_shares s
        WHERE s.folder_id IS NOT NULL AND (s.user_id = app_user_id() OR s.id = app_share_id())
          AND (s.expires_at IS NULL OR s.expires_at > now())
        UNION
        SELECT f.id FROM folders f JOIN open_folders o ON f.parent_id = o.id
    )
    SELECT id FROM open_folders
$$;

-- What who is asking may do with a note: 'owner', 'edit', 'comment', 'view', or null.
CREATE FUNCTION note_access(note uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT CASE WHEN n.owner_id = app_user_id() THEN 'owner'
                ELSE (SELECT s.access FROM shared_notes() s WHERE s.note_id = n.id) END
    FROM notes n WHERE n.id = note
$$;

-- Named and automatic states to go back to. `authors`: [{"user_id", "name", "model"?}, …].
CREATE TABLE note_versions (
    id uuid PRIMARY KEY,
    note_id uuid NOT NULL REFERENCES notes ON DELETE CASCADE,
    seq bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('automatic', 'named', 'model', 'restore')),
    name text NOT NULL DEFAULT '',
    markdown text NOT NULL,
    authors jsonb NOT NULL DEFAULT '[]',
    run_id uuid,
    created_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX note_versions_note ON note_versions (note_id, seq DESC);

-- What models proposed or did. `hunks` as placed in the document, so that each can be undone.
CREATE TABLE note_runs (
    id uuid PRIMARY KEY,
    note_id uuid NOT NULL REFERENCES notes ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('proposal', 'edit')),
    status text NOT NULL CHECK (status IN ('open', 'applied', 'rejected', 'undone')),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    conversation_id uuid REFERENCES conversations ON DELETE SET NULL,
    model text NOT NULL,
    reason text NOT NULL DEFAULT '',
    hunks jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX note_runs_note ON note_runs (note_id, created_at DESC);

-- Wikilinks and mentions, from the projection. `to_id` is null while nothing has that title.
CREATE TABLE note_links (
    from_id uuid NOT NULL REFERENCES notes ON DELETE CASCADE,
    ordinal integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('wikilink', 'person')),
    to_id uuid REFERENCES notes ON DELETE SET NULL,
    -- as written, in lower case
    to_title text NOT NULL,
    PRIMARY KEY (from_id, ordinal)
);
CREATE INDEX note_links_to ON note_links (to_id);
CREATE INDEX note_links_title ON note_links (to_title);

CREATE TABLE note_comments (
    id uuid PRIMARY KEY,
    note_id uuid NOT NULL REFERENCES notes ON DELETE CASCADE,
    -- the first comment of the thread; null for that one
    thread_id uuid REFERENCES note_comments ON DELETE CASCADE,
    author_id uuid REFERENCES users ON DELETE SET NULL,
    author_name text NOT NULL,
    body text NOT NULL,
    -- sticky positions as Yjs encodes relative positions, and the words they held
    anchor_from bytea,
    anchor_to bytea,
    quote text NOT NULL DEFAULT '',
    resolved_at timestamptz,
    resolved_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    edited_at timestamptz,
    deleted_at timestamptz
);
CREATE INDEX note_comments_note ON note_comments (note_id, created_at);

-- Bytes are named by what they are; rows name files.
CREATE TABLE blobs (
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    size bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, sha256)
);
CREATE TABLE note_attachments (
    id uuid PRIMARY KEY,
    note_id uuid NOT NULL REFERENCES notes ON DELETE CASCADE,
    -- whose store the bytes are in: the note's owner's
    owner_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    created_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (owner_id, sha256) REFERENCES blobs,
    CONSTRAINT note_attachments_once UNIQUE (note_id, sha256, name)
);

-- An invitation to join this server, used once.
CREATE TABLE invites (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('viewer', 'developer', 'admin')),
    created_by uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_by uuid REFERENCES users ON DELETE SET NULL,
    used_at timestamptz
);

-- Who sees what.
ALTER TABLE folders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_updates ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_snapshots ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_shares ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_runs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_comments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE blobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE note_attachments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE invites ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- The owner sees and changes; who it is shared with sees, and changes by what the domain allows.
CREATE POLICY own ON folders TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY shared ON folders FOR SELECT TO sidebar_user USING (id IN (SELECT shared_folders()));
CREATE POLICY definer ON folders TO sidebar_definer USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON folders TO sidebar_user;
GRANT SELECT ON folders TO sidebar_definer;

CREATE POLICY own ON notes TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY shared ON notes FOR SELECT TO sidebar_user USING (id IN (SELECT note_id FROM shared_notes()));
-- A title may be changed by whoever may edit; the domain restricts which columns.
CREATE POLICY edited ON notes FOR UPDATE TO sidebar_user
    USING (id IN (SELECT note_id FROM shared_notes() WHERE access = 'edit'));
CREATE POLICY sync ON notes TO sidebar_sync USING (true);
CREATE POLICY definer ON notes TO sidebar_definer USING (true);
GRANT SELECT, INSERT ON notes TO sidebar_user;
GRANT UPDATE (folder_id, kind, title, pinned, model_edits, updated_at, archived_at, deleted_at) ON notes TO sidebar_user;
GRANT SELECT, UPDATE (seq, markdown, markdown_seq, words, tags, updated_at) ON notes TO sidebar_sync;
GRANT SELECT, DELETE ON notes TO sidebar_definer;

CREATE POLICY sync ON note_updates TO sidebar_sync USING (true);
GRANT SELECT, INSERT, DELETE ON note_updates TO sidebar_sync;
CREATE POLICY sync ON note_snapshots TO sidebar_sync USING (true);
GRANT SELECT, INSERT, UPDATE ON note_snapshots TO sidebar_sync;

-- The owner of what is shared sees and makes shares; a member sees their own.
CREATE POLICY own ON note_shares TO sidebar_user
    USING (note_id IN (SELECT id FROM notes WHERE owner_id = (SELECT app_user_id()))
        OR folder_id IN (SELECT id FROM folders WHERE owner_id = (SELECT app_user_id())));
CREATE POLICY mine ON note_shares FOR SELECT TO sidebar_user USING (user_id = (SELECT app_user_id()));
CREATE POLICY system ON note_shares TO sidebar_system USING (true);
CREATE POLICY definer ON note_shares TO sidebar_definer USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON note_shares TO sidebar_user;
GRANT SELECT ON note_shares TO sidebar_system, sidebar_definer;

-- What belongs to a note is seen with the note.
CREATE POLICY seen ON note_versions FOR SELECT TO sidebar_user USING (note_id IN (SELECT id FROM notes));
CREATE POLICY made ON note_versions FOR INSERT TO sidebar_user
    WITH CHECK (note_access(note_id) IN ('owner', 'edit') AND created_by = (SELECT app_user_id()));
CREATE POLICY sync ON note_versions TO sidebar_sync USING (true);
GRANT SELECT, INSERT ON note_versions TO sidebar_user, sidebar_sync;

CREATE POLICY seen ON note_runs FOR SELECT TO sidebar_user USING (note_id IN (SELECT id FROM notes));
CREATE POLICY made ON note_runs FOR INSERT TO sidebar_user
    WITH CHECK (note_access(note_id) IN ('owner', 'edit') AND user_id = (SELECT app_user_id()));
CREATE POLICY decided ON note_runs FOR UPDATE TO sidebar_user USING (note_access(note_id) IN ('owner', 'edit'));
GRANT SELECT, INSERT ON note_runs TO sidebar_user;
GRANT UPDATE (status, hunks, ended_at) ON note_runs TO sidebar_user;

CREATE POLICY seen ON note_links FOR SELECT TO sidebar_user USING (from_id IN (SELECT id FROM notes));
CREATE POLICY sync ON note_links TO sidebar_sync USING (true);
GRANT SELECT ON note_links TO sidebar_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON note_links TO sidebar_sync;

CREATE POLICY seen ON note_comments FOR SELECT TO sidebar_user USING (note_id IN (SELECT id FROM notes));
CREATE POLICY made ON note_comments FOR INSERT TO sidebar_user
    WITH CHECK (note_access(note_id) IN ('owner', 'edit', 'comment')
                AND author_id IS NOT DISTINCT FROM (SELECT app_user_id()));
CREATE POLICY changed ON note_comments FOR UPDATE TO sidebar_user
    USING (note_access(note_id) IN ('owner', 'edit', 'comment'));
GRANT SELECT, INSERT ON note_comments TO sidebar_user;
GRANT UPDATE (body, resolved_at, resolved_by, edited_at, deleted_at) ON note_comments TO sidebar_user;

CREATE POLICY own ON blobs TO sidebar_user
    USING (owner_id = (SELECT app_user_id())
        OR (owner_id, sha256) IN (SELECT a.owner_id, a.sha256 FROM note_attachments a));
-- An attachment to a shared note is kept in the store of the note's owner.
CREATE POLICY made ON blobs FOR INSERT TO sidebar_user
    WITH CHECK (owner_id = (SELECT app_user_id()) OR owner_id IN (SELECT n.owner_id FROM notes n));
GRANT SELECT, INSERT ON blobs TO sidebar_user;
CREATE POLICY seen ON note_attachments FOR SELECT TO sidebar_user USING (note_id IN (SELECT id FROM notes));
CREATE POLICY made ON note_attachments FOR INSERT TO sidebar_user
    WITH CHECK (note_access(note_id) IN ('owner', 'edit')
                AND owner_id = (SELECT n.owner_id FROM notes n WHERE n.id = note_id));
GRANT SELECT, INSERT ON note_attachments TO sidebar_user;

CREATE POLICY system ON invites TO sidebar_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON invites TO sidebar_system;

-- The names of the people on this server, for sharing and mentions.
CREATE FUNCTION members() RETURNS TABLE (id uuid, display_name text, email text, role text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT u.id, u.display_name, u.email, u.role FROM users u WHERE app_user_id() IS NOT NULL
$$;
CREATE POLICY definer ON users FOR SELECT TO sidebar_definer USING (true);
GRANT SELECT (id, display_name, email, role) ON users TO sidebar_definer;

-- Passages of notes: written by the rooms' role.
CREATE POLICY sync ON chunks TO sidebar_sync USING (source_kind = 'note');
GRANT SELECT, INSERT, DELETE ON chunks TO sidebar_sync;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION shared_notes() OWNER TO sidebar_definer;
ALTER FUNCTION shared_folders() OWNER TO sidebar_definer;
ALTER FUNCTION note_access(uuid) OWNER TO sidebar_definer;
ALTER FUNCTION members() OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION shared_notes(), shared_folders(), note_access(uuid), members() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shared_notes(), shared_folders(), note_access(uuid), members() TO sidebar_user;
GRANT EXECUTE ON FUNCTION shared_notes() TO sidebar_definer;

-- Word search finds notes as well, also those that are shared.
CREATE OR REPLACE FUNCTION search_words(typed text, most integer)
RETURNS TABLE (source_kind text, source_id uuid, part_id uuid, title text, passage text, rank real, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH query AS MATERIALIZED (SELECT words_query(typed) AS words),
    shared AS MATERIALIZED (SELECT s.note_id FROM shared_notes() s),
    found AS (
        SELECT DISTINCT ON (k.part_id)
               k.source_kind, k.source_id, k.part_id, k.text, k.created_at,
               CASE k.source_kind WHEN 'note' THEN n.title
                    ELSE coalesce(nullif(c.title, ''), c.first_message) END AS title,
               ts_rank_cd(k.tsv, query.words, 32) AS rank
        FROM query, chunks k
        LEFT JOIN conversations c ON k.source_kind <> 'note' AND c.id = k.source_id
              AND c.deleted_at IS NULL AND c.owner_id = app_user_id()
        LEFT JOIN notes n ON k.source_kind = 'note' AND n.id = k.source_id AND n.deleted_at IS NULL
        WHERE k.tsv @@ query.words
          AND (k.owner_id = app_user_id() OR k.source_id IN (SELECT note_id FROM shared))
          AND (c.id IS NOT NULL OR n.id IS NOT NULL)
        ORDER BY k.part_id, ts_rank_cd(k.tsv, query.words, 32) DESC
    ),
    best AS (SELECT * FROM found ORDER BY rank DESC, created_at DESC LIMIT least(most, 100))
    SELECT b.source_kind, b.source_id, b.part_id, b.title,
           ts_headline('english', translate(b.text, E'\x02\x03', ''), query.words,
                       E'StartSel=\x02, StopSel=\x03, MaxWords=45, MinWords=20, MaxFragments=1'),
           b.rank, b.created_at
    FROM best b, query
    ORDER BY b.rank DESC, b.created_at DESC
$$;

CREATE OR REPLACE FUNCTION purge_deleted(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH gone AS (DELETE FROM conversations WHERE deleted_at < before RETURNING id),
    gone_notes AS (DELETE FROM notes WHERE deleted_at < before RETURNING id),
    passages AS (DELETE FROM chunks WHERE source_id IN (SELECT id FROM gone UNION ALL SELECT id FROM gone_notes))
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM gone_notes)
$$;

CREATE POLICY migration ON schedules TO CURRENT_USER USING (true);
INSERT INTO schedules (kind, every) VALUES ('compact_notes', '10 minutes');
DROP POLICY migration ON schedules;
