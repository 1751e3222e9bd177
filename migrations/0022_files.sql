-- Files that somebody keeps. Bytes are in the blob store; a row names a file.
CREATE TABLE files (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    -- names of folders joined by '/'; empty at the top
    folder text NOT NULL DEFAULT '',
    media_type text NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reading', 'indexing', 'ready', 'failed')),
    -- sections read, and of how many
    done integer NOT NULL DEFAULT 0,
    of integer NOT NULL DEFAULT 0,
    failure text,
    pages integer,
    -- what was read of the document as a whole: title, author, language, properties
    facts jsonb NOT NULL DEFAULT '{}',
    -- the version of the reader that read it; null until one did
    read_by integer,
    thumbnail boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    FOREIGN KEY (owner_id, sha256) REFERENCES blobs
);
-- The same bytes are in one place once.
CREATE UNIQUE INDEX files_once ON files (owner_id, folder, sha256) WHERE deleted_at IS NULL;
CREATE INDEX files_newest ON files (owner_id, created_at DESC, id DESC);
-- whether anything needs a blob
CREATE INDEX files_blob ON files (owner_id, sha256);
ALTER TABLE files ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON files TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY definer ON files TO sidebar_definer USING (true);
GRANT SELECT, INSERT ON files TO sidebar_user;
GRANT UPDATE (name, folder, state, done, of, failure, pages, facts, read_by, thumbnail, updated_at, deleted_at)
    ON files TO sidebar_user;
GRANT SELECT, DELETE ON files TO sidebar_definer;

-- Files on their way, in parts.
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    folder text NOT NULL,
    size bigint NOT NULL,
    -- what the sender says the whole is
    sha256 bytea,
    file_id uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE upload_parts (
    upload_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
    number integer NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (upload_id, number)
);
ALTER TABLE uploads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE upload_parts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON uploads TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY own ON upload_parts TO sidebar_user USING (upload_id IN (SELECT id FROM uploads));
CREATE POLICY definer ON uploads TO sidebar_definer USING (true);
GRANT SELECT, INSERT, DELETE, UPDATE (file_id) ON uploads TO sidebar_user;
GRANT SELECT, INSERT, DELETE, UPDATE (size) ON upload_parts TO sidebar_user;
GRANT SELECT, DELETE ON uploads TO sidebar_definer;

-- Where in its source a passage is, as the source counts: a page, lines, a heading.
ALTER TABLE chunks ADD COLUMN place jsonb;
GRANT UPDATE (place) ON chunks TO sidebar_user;
GRANT UPDATE (ordinal) ON chunks TO sidebar_user;
