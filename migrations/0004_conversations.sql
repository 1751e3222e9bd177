-- A conversation holds its finished messages in one JSONB array, which is only ever appended to
-- (and patched for reactions). Messages form a tree by parent_id; `head` is the end of the path shown.
CREATE TABLE conversations (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    title text NOT NULL DEFAULT '',
    first_message text NOT NULL DEFAULT '',
    message_count integer NOT NULL DEFAULT 0,
    pinned boolean NOT NULL DEFAULT false,
    model text NOT NULL DEFAULT '',
    messages jsonb NOT NULL DEFAULT '[]',
    head uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX conversations_list ON conversations (owner_id, pinned DESC, updated_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX conversations_bin ON conversations (owner_id, deleted_at DESC) WHERE deleted_at IS NOT NULL;
ALTER TABLE conversations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON conversations TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY definer ON conversations TO sidebar_definer USING (true);
GRANT SELECT, INSERT, UPDATE ON conversations TO sidebar_user;
GRANT SELECT, DELETE ON conversations TO sidebar_definer;

-- One row an answer, from the moment it was asked for. While it runs, its text is in stream_events
-- and in the memory of the server that holds the lease; when it ends, the message is appended to
-- the conversation in the same transaction that closes the row.
CREATE TABLE answers (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- the message answered
    user_message_id uuid NOT NULL,
    -- whether the row came with a new message of the person, which makes (user_id, user_message_id) unique
    sent boolean NOT NULL,
    content_hash bytea,
    model text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'streaming', 'complete', 'error')),
    -- the text that a continued answer begins with
    seed jsonb,
    server_id uuid,
    lease_until timestamptz,
    last_seq bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX answers_sent ON answers (user_id, user_message_id) WHERE sent;
CREATE INDEX answers_open ON answers (conversation_id, id) WHERE status IN ('pending', 'streaming');
CREATE INDEX answers_leased ON answers (lease_until) WHERE status = 'streaming';
-- one answer at a time in a conversation
CREATE UNIQUE INDEX answers_one_at_a_time ON answers (conversation_id) WHERE status = 'streaming';
ALTER TABLE answers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON answers TO sidebar_user USING (user_id = (SELECT app_user_id()));
CREATE POLICY system ON answers TO sidebar_system USING (true);
GRANT SELECT, INSERT, UPDATE ON answers TO sidebar_user;
GRANT SELECT, UPDATE ON answers TO sidebar_system;

-- The event log of answers: one row a batch of at most 50 events or 500 ms.
CREATE TABLE stream_events (
    answer_id uuid NOT NULL REFERENCES answers ON DELETE CASCADE,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    -- [{"seq": 1, "type": "delta", …}, …]
    events jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (answer_id, last_seq)
);
ALTER TABLE stream_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON stream_events TO sidebar_user
    USING (EXISTS (SELECT FROM answers a WHERE a.id = answer_id AND a.user_id = (SELECT app_user_id())));
CREATE POLICY system ON stream_events TO sidebar_system USING (true);
GRANT SELECT, INSERT ON stream_events TO sidebar_user;
GRANT SELECT, INSERT, DELETE ON stream_events TO sidebar_system;
