-- People, their sessions, their keys.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email)),
    display_name text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'developer', 'admin')),
    password_hash text NOT NULL,
    time_zone text NOT NULL DEFAULT '',
    place text NOT NULL DEFAULT '',
    picture bytea,
    picture_type text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_email_unique UNIQUE (email)
);
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users TO sidebar_user USING (id = (SELECT app_user_id()));
CREATE POLICY system ON users TO sidebar_system USING (true);
GRANT SELECT ON users TO sidebar_user;
GRANT UPDATE (display_name, time_zone, place, picture, picture_type) ON users TO sidebar_user;
GRANT SELECT, INSERT, UPDATE ON users TO sidebar_system;

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    csrf_token text NOT NULL,
    user_agent text NOT NULL,
    address text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sessions TO sidebar_user USING (user_id = (SELECT app_user_id()));
CREATE POLICY system ON sessions TO sidebar_system USING (true);
GRANT SELECT (id, user_id, user_agent, address, created_at, last_used_at, expires_at), DELETE ON sessions TO sidebar_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO sidebar_system;

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    prefix text NOT NULL,
    key_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_user ON api_keys (user_id);
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON api_keys TO sidebar_user USING (user_id = (SELECT app_user_id()));
CREATE POLICY system ON api_keys TO sidebar_system USING (true);
GRANT SELECT (id, user_id, name, prefix, created_at, expires_at, last_used_at), INSERT, DELETE ON api_keys TO sidebar_user;
GRANT SELECT, INSERT, UPDATE ON api_keys TO sidebar_system;
