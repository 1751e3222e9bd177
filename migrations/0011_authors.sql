-- The rooms keep the author of an update only while the account is there: they see which there are.
CREATE POLICY sync ON users FOR SELECT TO sidebar_sync USING (true);
GRANT SELECT (id) ON users TO sidebar_sync;
