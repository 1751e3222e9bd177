-- What is to be kept in mind: statements, and exchanges with models elsewhere. A statement that no longer holds
-- stays as what another one replaced. Forgetting is the exception to soft deletion: the row goes at once, and with
-- it what it replaced, its history, its passages and their vectors.
CREATE TABLE memories (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('statement', 'exchange')),
    -- the statement; of an exchange, what was asked
    content text NOT NULL,
    -- what a model elsewhere answered, and which
    response text,
    provider text NOT NULL DEFAULT '',
    -- the conversation as it is called there
    conversation_ref text NOT NULL DEFAULT '',
    metadata jsonb NOT NULL DEFAULT '{}',
    scope text NOT NULL CHECK (scope IN ('person', 'workspace', 'project', 'agent')),
    -- of the project or the agent
    scope_name text NOT NULL DEFAULT '',
    source_kind text NOT NULL CHECK (source_kind IN ('hand', 'program', 'conversation', 'note', 'file', 'page')),
    source_id uuid,
    -- the message
    source_part uuid,
    source_url text NOT NULL DEFAULT '',
    held_from timestamptz NOT NULL DEFAULT now(),
    held_until timestamptz,
    -- what is forgotten takes along what it had replaced
    superseded_by uuid REFERENCES memories ON DELETE CASCADE,
    pinned boolean NOT NULL DEFAULT false,
    -- told to no model that is somewhere else
    local_only boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX memories_list ON memories (owner_id, pinned DESC, created_at DESC, id DESC);
CREATE INDEX memories_replaced ON memories (superseded_by) WHERE superseded_by IS NOT NULL;
ALTER TABLE memories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON memories TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY definer ON memories FOR SELECT TO sidebar_definer USING (true);
GRANT SELECT, INSERT, DELETE ON memories TO sidebar_user;
GRANT UPDATE (content, response, scope, scope_name, held_from, held_until, superseded_by, pinned, local_only, updated_at)
    ON memories TO sidebar_user;
GRANT SELECT ON memories TO sidebar_definer;

-- What happened to a memory since it was made.
CREATE TABLE memory_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    memory_id uuid NOT NULL REFERENCES memories ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT now(),
    -- changed: `text` is what it was before; said_again: `text` is how
    what text NOT NULL CHECK (what IN ('changed', 'said_again')),
    text text NOT NULL,
    source_kind text,
    source_id uuid,
    source_part uuid,
    source_url text NOT NULL DEFAULT ''
);
CREATE INDEX memory_events_memory ON memory_events (memory_id, id);

-- What a model thinks worth keeping, until the person accepts it or lets it go.
CREATE TABLE memory_suggestions (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    message_id uuid NOT NULL,
    content text NOT NULL,
    replaces uuid REFERENCES memories ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX memory_suggestions_owner ON memory_suggestions (owner_id, id);

-- How far a conversation was looked through for what is worth keeping.
CREATE TABLE memory_looks (
    conversation_id uuid PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    message_id uuid NOT NULL
);

-- A model asked to forget something; the person has not decided yet.
CREATE TABLE memory_forgetting (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    memory_id uuid NOT NULL UNIQUE REFERENCES memories ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Requests that came with an Idempotency-Key: the same one makes the same memory.
CREATE TABLE memory_keys (
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key text NOT NULL,
    -- a hash of what was asked for; null once the memory is forgotten
    request bytea,
    outcome text NOT NULL,
    memory_id uuid REFERENCES memories ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, key)
);

-- Requests of one person on one day, by UTC.
CREATE TABLE memory_use (
    owner_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    day date NOT NULL,
    used integer NOT NULL
);

CREATE TABLE memory_settings (
    owner_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    suggest boolean NOT NULL DEFAULT true,
    use_in_answers boolean NOT NULL DEFAULT true
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['memory_events', 'memory_suggestions', 'memory_looks', 'memory_forgetting', 'memory_keys',
                                'memory_use', 'memory_settings'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO sidebar_user USING (owner_id = (SELECT app_user_id()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO sidebar_user', name);
    END LOOP;
END $$;

-- How many requests a day an account may make; an admin sets it.
ALTER TABLE users ADD COLUMN tier text NOT NULL DEFAULT 'free' CHECK (tier IN ('free', 'pro', 'enterprise'));

-- Looking for what is worth keeping waits until a conversation rests: each answer puts it off.
GRANT UPDATE (run_at) ON jobs TO sidebar_user;

-- Among an owner's many passages the few that are memories.
CREATE INDEX chunks_memories ON chunks (owner_id) WHERE source_kind = 'memory';

