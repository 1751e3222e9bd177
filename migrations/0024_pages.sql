-- Web pages that somebody keeps to read. What was made of one lies in the store, in a folder of the page's own.
CREATE TABLE pages (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- normalised: by it a page is known again
    url text NOT NULL CHECK (octet_length(url) <= 2000),
    title text NOT NULL,
    -- the title was given by the person: reading the page again leaves it
    titled boolean NOT NULL DEFAULT false,
    -- whether a browser sent it as a person saw it; else the server fetches it
    sent boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reading', 'ready', 'failed')),
    failure text,
    -- how often it was asked for, and which asking gave what is kept; null until one did
    asked integer NOT NULL DEFAULT 1,
    kept integer,
    fetched_at timestamptz,
    -- bytes that it takes up in the store
    size bigint NOT NULL DEFAULT 0,
    -- what was found out about it: site, author, language, …
    facts jsonb NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    pinned boolean NOT NULL DEFAULT false,
    archived boolean NOT NULL DEFAULT false,
    -- how far it was read, of 1
    position double precision NOT NULL DEFAULT 0 CHECK (position BETWEEN 0 AND 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX pages_once ON pages (owner_id, url) WHERE deleted_at IS NULL;
CREATE INDEX pages_newest ON pages (owner_id, pinned DESC, created_at DESC, id DESC);
ALTER TABLE pages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON pages TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY definer ON pages TO sidebar_definer USING (true);
GRANT SELECT, INSERT ON pages TO sidebar_user;
GRANT UPDATE (title, titled, sent, state, failure, asked, kept, fetched_at, size, facts, tags, pinned, archived, position,
              updated_at, deleted_at) ON pages TO sidebar_user;
GRANT SELECT, DELETE ON pages TO sidebar_definer;

-- Deletes pages for good that were deleted before the given time, with their passages. Says which, so that their
-- folders in the store can go too.
CREATE FUNCTION purge_pages(before timestamptz) RETURNS TABLE (owner_id uuid, id uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH gone AS (DELETE FROM pages p WHERE p.deleted_at < before RETURNING p.owner_id, p.id),
    passages AS (DELETE FROM chunks WHERE source_id IN (SELECT g.id FROM gone g))
    SELECT g.owner_id, g.id FROM gone g
$$;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION purge_pages(timestamptz) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION purge_pages(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purge_pages(timestamptz) TO sidebar_system;
