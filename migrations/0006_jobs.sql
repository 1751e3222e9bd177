-- Work that outlives a request. A worker leases a job; a lease that runs out is taken up by another.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    -- on whose behalf; null for the server itself
    user_id uuid REFERENCES users ON DELETE CASCADE,
    payload jsonb NOT NULL DEFAULT '{}',
    -- at most one open job with the same key
    dedupe_key text,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    run_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE status IN ('queued', 'running');
CREATE UNIQUE INDEX jobs_dedupe ON jobs (dedupe_key) WHERE status IN ('queued', 'running');
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON jobs TO sidebar_user USING (user_id = (SELECT app_user_id()));
CREATE POLICY system ON jobs TO sidebar_system USING (true);
GRANT SELECT, INSERT ON jobs TO sidebar_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO sidebar_system;

-- What is to be queued again and again.
CREATE TABLE schedules (
    kind text PRIMARY KEY,
    every interval NOT NULL,
    next_run_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE schedules ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON schedules TO sidebar_system USING (true);
GRANT SELECT, UPDATE ON schedules TO sidebar_system;

-- The owner may be bound by the policies of its own tables (FORCE), so it gets one for this insert.
CREATE POLICY migration ON schedules TO CURRENT_USER USING (true);
INSERT INTO schedules (kind, every) VALUES
    ('purge_deleted', '6 hours'),
    ('prune_stream_events', '1 hour'),
    ('prune_sessions', '1 hour'),
    ('prune_jobs', '6 hours');
DROP POLICY migration ON schedules;
