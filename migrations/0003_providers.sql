-- Model providers. They and their keys are the server's, not a person's.
CREATE TABLE providers (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('openai', 'anthropic', 'gemini', 'ollama')),
    name text NOT NULL,
    base_url text NOT NULL,
    models text[] NOT NULL DEFAULT '{}',
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT providers_name_unique UNIQUE (name)
);
CREATE UNIQUE INDEX providers_one_default ON providers (is_default) WHERE is_default;
ALTER TABLE providers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON providers TO sidebar_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON providers TO sidebar_system;

CREATE TABLE provider_keys (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES providers ON DELETE CASCADE,
    -- XChaCha20-Poly1305: nonce, then ciphertext; the id is bound in
    sealed bytea NOT NULL,
    key_version integer NOT NULL,
    resting_until timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX provider_keys_provider ON provider_keys (provider_id);
ALTER TABLE provider_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON provider_keys TO sidebar_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON provider_keys TO sidebar_system;
