-- What is attached to a conversation. Whether it may still be seen is asked again at each answer.
CREATE TABLE conversation_attachments (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- note, file, collection, or another kind of thing; things have no table in common
    kind text NOT NULL,
    thing_id uuid NOT NULL,
    -- as it was called then, for when it is not there any more
    title text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, kind, thing_id)
);
ALTER TABLE conversation_attachments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON conversation_attachments TO sidebar_user
    USING (owner_id = (SELECT app_user_id()))
    WITH CHECK (owner_id = (SELECT app_user_id()) AND EXISTS (SELECT FROM conversations c WHERE c.id = conversation_id));
GRANT SELECT, INSERT, DELETE ON conversation_attachments TO sidebar_user;

-- What a person wants every model to know, and where they are, if they said so.
CREATE TABLE prompt_settings (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    instructions text NOT NULL DEFAULT '',
    -- in degrees, rounded to two decimals: about a kilometre; null without consent
    latitude double precision,
    longitude double precision,
    CHECK ((latitude IS NULL) = (longitude IS NULL))
);
ALTER TABLE prompt_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON prompt_settings TO sidebar_user USING (user_id = (SELECT app_user_id()));
GRANT SELECT, INSERT, UPDATE ON prompt_settings TO sidebar_user;

-- Named sets of things.
CREATE TABLE collections (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX collections_owner ON collections (owner_id);
CREATE TABLE collection_items (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    kind text NOT NULL,
    thing_id uuid NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (collection_id, kind, thing_id)
);
ALTER TABLE collections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE collection_items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- A share may be of a collection as well.
ALTER TABLE note_shares ADD COLUMN collection_id uuid REFERENCES collections ON DELETE CASCADE;
ALTER TABLE note_shares DROP CONSTRAINT note_shares_check;
ALTER TABLE note_shares ADD CONSTRAINT note_shares_of_one CHECK (num_nonnulls(note_id, folder_id, collection_id) = 1);
-- whoever has a link is no member: collections have none
ALTER TABLE note_shares ADD CONSTRAINT note_shares_collection CHECK (collection_id IS NULL OR (user_id IS NOT NULL AND access = 'view'));
ALTER TABLE note_shares DROP CONSTRAINT note_shares_once;
ALTER TABLE note_shares ADD CONSTRAINT note_shares_once
    UNIQUE NULLS NOT DISTINCT (note_id, folder_id, user_id, token_hash, collection_id);
CREATE INDEX note_shares_collection ON note_shares (collection_id);

CREATE FUNCTION shared_collections() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT c.id FROM note_shares s JOIN collections c ON c.id = s.collection_id
    WHERE s.user_id = app_user_id() AND (s.expires_at IS NULL OR s.expires_at > now()) AND c.deleted_at IS NULL
$$;

CREATE POLICY own ON collections TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY shared ON collections FOR SELECT TO sidebar_user USING (id IN (SELECT shared_collections()));
CREATE POLICY definer ON collections TO sidebar_definer USING (true);
GRANT SELECT, INSERT, UPDATE (name, updated_at, deleted_at) ON collections TO sidebar_user;
GRANT SELECT, DELETE ON collections TO sidebar_definer;

-- To share a collection is to share the list, not what stands in it: a member sees those things in it that they
-- may see anyway, and nothing of the others.
CREATE POLICY own ON collection_items TO sidebar_user
    USING (collection_id IN (SELECT id FROM collections WHERE owner_id = (SELECT app_user_id())));
CREATE POLICY seen ON collection_items FOR SELECT TO sidebar_user
    USING (collection_id IN (SELECT shared_collections())
           AND CASE kind WHEN 'note' THEN EXISTS (SELECT FROM notes n WHERE n.id = thing_id)
                         WHEN 'file' THEN EXISTS (SELECT FROM files f WHERE f.id = thing_id)
                         ELSE false END);
GRANT SELECT, INSERT, DELETE ON collection_items TO sidebar_user;

ALTER POLICY own ON note_shares
    USING (note_id IN (SELECT id FROM notes WHERE owner_id = (SELECT app_user_id()))
        OR folder_id IN (SELECT id FROM folders WHERE owner_id = (SELECT app_user_id()))
        OR collection_id IN (SELECT id FROM collections WHERE owner_id = (SELECT app_user_id())));

CREATE FUNCTION purge_collections(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH gone AS (DELETE FROM collections WHERE deleted_at < before RETURNING 1) SELECT count(*) FROM gone
$$;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION shared_collections() OWNER TO sidebar_definer;
ALTER FUNCTION purge_collections(timestamptz) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION shared_collections(), purge_collections(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shared_collections() TO sidebar_user;
GRANT EXECUTE ON FUNCTION purge_collections(timestamptz) TO sidebar_system;
