-- Signals on their way to open browsers and other servers: stored with the change that they tell of, told
-- by one task a server right after. With NOTIFY in the changing transaction itself commits would take
-- turns: it holds a lock of the whole cluster until the commit is on the disk.
CREATE TABLE signals (
    -- the order in which they are told
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload text NOT NULL
);
ALTER TABLE signals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY store ON signals FOR INSERT TO sidebar_user WITH CHECK (true);
CREATE POLICY system ON signals TO sidebar_system USING (true);
GRANT INSERT ON signals TO sidebar_user;
GRANT SELECT, DELETE ON signals TO sidebar_system;
