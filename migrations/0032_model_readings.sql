-- What a model read in bytes that hold no text of their own: pictures and recordings. It is kept by what the bytes
-- are, so that nobody is asked about the same ones twice, and leaves with them.
CREATE TABLE model_readings (
    owner_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    -- as it was named to the server; another name, and it is read anew
    model text NOT NULL,
    -- with their places, as a file's document has them; empty where the model found nothing
    sections jsonb NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, sha256),
    FOREIGN KEY (owner_id, sha256) REFERENCES blobs ON DELETE CASCADE
);
ALTER TABLE model_readings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON model_readings TO sidebar_user USING (owner_id = (SELECT app_user_id()));
GRANT SELECT, INSERT, UPDATE (model, sections, read_at) ON model_readings TO sidebar_user;
