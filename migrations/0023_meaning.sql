-- Passages by their meaning: a vector each, of the model that is in use.
CREATE TABLE chunk_vectors (
    chunk_id bigint PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
    -- as in the passage, so that a search need not look at its text
    owner_id uuid NOT NULL,
    source_kind text NOT NULL,
    source_id uuid NOT NULL,
    model text NOT NULL,
    embedding halfvec(384) NOT NULL
);
CREATE INDEX chunk_vectors_owner ON chunk_vectors (owner_id);
CREATE INDEX chunk_vectors_source ON chunk_vectors (source_id);
CREATE INDEX chunk_vectors_near ON chunk_vectors USING hnsw (embedding halfvec_cosine_ops);

-- Passages that have no vector yet. A worker leases some; a lease that runs out is taken up by another.
CREATE TABLE chunk_queue (
    chunk_id bigint PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
    owner_id uuid NOT NULL,
    leased_until timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX chunk_queue_owner ON chunk_queue (owner_id, chunk_id);

ALTER TABLE chunk_vectors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE chunk_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON chunk_vectors TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY own ON chunk_queue TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY definer ON chunk_vectors TO sidebar_definer USING (true);
CREATE POLICY definer ON chunk_queue TO sidebar_definer USING (true);
CREATE POLICY system ON chunk_queue FOR SELECT TO sidebar_system USING (true);
GRANT SELECT, INSERT, UPDATE ON chunk_vectors TO sidebar_user;
GRANT SELECT, DELETE, UPDATE (leased_until) ON chunk_queue TO sidebar_user;
GRANT SELECT ON chunk_vectors TO sidebar_definer;
GRANT SELECT, INSERT ON chunk_queue TO sidebar_definer;
-- Whose turn it is; not what is said there.
GRANT SELECT (owner_id, leased_until) ON chunk_queue TO sidebar_system;

-- A passage is queued with its row, whoever writes it: it cannot be forgotten.
CREATE FUNCTION queue_chunks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
BEGIN
    INSERT INTO chunk_queue (chunk_id, owner_id) SELECT id, owner_id FROM made ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- Queues what has no vector of this model; how many passages that are.
CREATE FUNCTION queue_for_model(wanted text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH queued AS (
        INSERT INTO chunk_queue (chunk_id, owner_id)
        SELECT k.id, k.owner_id FROM chunks k
        LEFT JOIN chunk_vectors v ON v.chunk_id = k.id AND v.model = wanted
        WHERE v.chunk_id IS NULL
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*) FROM queued
$$;

-- Search by words and by meaning at once. As with words alone, this runs as a role that sees all passages and
-- adds the visibility itself: `@@` is not leakproof, and an index of vectors answers short under a policy.
--
-- `near` is the query's vector and may be null; then it is words alone. `space` names the model. `farthest` is the
-- cosine distance beyond which meaning does not count. Ranks are fused: 1 / (60 + rank), summed.
CREATE FUNCTION search_passages(
    typed text, near halfvec, space text, farthest real, kinds text[], since timestamptz, until timestamptz, most integer
) RETURNS TABLE (source_kind text, source_id uuid, part_id uuid, place jsonb, title text, passage text, text text,
                 score double precision, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
SET plan_cache_mode = force_custom_plan
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = 200
AS $$
#variable_conflict use_column
DECLARE
    me uuid := app_user_id();
    words tsquery := words_query(typed);
    any_words tsquery;
    shared uuid[] := ARRAY(SELECT s.note_id FROM shared_notes() s);
    -- an owner of fewer vectors is searched exactly
    few boolean := (SELECT count(*) <= 20000 FROM (SELECT FROM chunk_vectors v WHERE v.owner_id = me LIMIT 20001) AS them);
    by_words bigint[];
    by_some bigint[];
    by_meaning bigint[];
BEGIN
    by_words := ARRAY(
        SELECT m.id FROM (
            SELECT k.id, k.created_at, ts_rank_cd(k.tsv, words, 32) AS rank FROM chunks k
            WHERE k.tsv @@ words AND (k.owner_id = me OR k.source_id = ANY (shared))
              AND (kinds IS NULL OR k.source_kind = ANY (kinds))
            LIMIT 5000) AS m
        ORDER BY m.rank DESC, m.created_at DESC LIMIT 100);
    IF cardinality(by_words) < 10 AND typed !~ '"|(^|\s)-\w' THEN
        -- Not all words stand together anywhere, or hardly: passages with some of them count for something. Not
        -- where quotes or a minus say what is wanted.
        any_words := nullif(replace(plainto_tsquery('english', typed)::text, '&', '|'), '')::tsquery;
        by_some := ARRAY(
            SELECT m.id FROM (
                SELECT k.id, k.created_at, ts_rank_cd(k.tsv, any_words, 32) AS rank FROM chunks k
                WHERE k.tsv @@ any_words AND (k.owner_id = me OR k.source_id = ANY (shared))
                  AND (kinds IS NULL OR k.source_kind = ANY (kinds))
                LIMIT 5000) AS m
            ORDER BY m.rank DESC, m.created_at DESC LIMIT 50);
    END IF;
    IF near IS NOT NULL THEN
        IF few THEN
            by_meaning := ARRAY(
                SELECT m.chunk_id FROM (
                    SELECT v.chunk_id, v.embedding <=> near AS distance FROM chunk_vectors v
                    WHERE v.owner_id = me AND v.model = space
                      AND (kinds IS NULL OR v.source_kind = ANY (kinds))
                    -- not the index of vectors
                    ORDER BY (v.embedding <=> near) + 0 LIMIT 100) AS m
                WHERE m.distance <= farthest ORDER BY m.distance);
        ELSE
            by_meaning := ARRAY(
                SELECT m.chunk_id FROM (
                    SELECT v.chunk_id, v.embedding <=> near AS distance FROM chunk_vectors v
                    WHERE v.owner_id = me AND v.model = space
                      AND (kinds IS NULL OR v.source_kind = ANY (kinds))
                    ORDER BY v.embedding <=> near LIMIT 100) AS m
                WHERE m.distance <= farthest ORDER BY m.distance);
        END IF;
        IF cardinality(shared) > 0 THEN
            -- notes of others: by rank among themselves, behind one's own of the same rank
            by_some := by_some || ARRAY(
                SELECT m.chunk_id FROM (
                    SELECT v.chunk_id, v.embedding <=> near AS distance FROM chunk_vectors v
                    WHERE v.source_id = ANY (shared) AND v.owner_id <> me AND v.model = space
                      AND (kinds IS NULL OR v.source_kind = ANY (kinds))
                    ORDER BY (v.embedding <=> near) + 0 LIMIT 50) AS m
                WHERE m.distance <= farthest ORDER BY m.distance);
        END IF;
    END IF;
    RETURN QUERY
    WITH ranked AS (
        SELECT l.id, sum(l.weight / (60 + l.rank)) AS score FROM (
            SELECT w.id, w.rank, 1.0::double precision AS weight FROM unnest(by_words) WITH ORDINALITY AS w (id, rank)
            UNION ALL
            SELECT s.id, s.rank, 0.5 FROM unnest(by_some) WITH ORDINALITY AS s (id, rank)
            UNION ALL
            SELECT n.id, n.rank, 1.0 FROM unnest(by_meaning) WITH ORDINALITY AS n (id, rank)
        ) AS l GROUP BY l.id
    ),
    seen AS (
        SELECT DISTINCT ON (k.part_id) k.source_kind, k.source_id, k.part_id, k.place, k.text, k.created_at, r.score,
               CASE k.source_kind WHEN 'note' THEN n.title WHEN 'file' THEN f.name
                    ELSE coalesce(nullif(c.title, ''), c.first_message) END AS title
        FROM ranked r
        JOIN chunks k ON k.id = r.id
        LEFT JOIN conversations c ON k.source_kind IN ('message', 'conversation') AND c.id = k.source_id
              AND c.deleted_at IS NULL AND c.owner_id = me
        LEFT JOIN notes n ON k.source_kind = 'note' AND n.id = k.source_id AND n.deleted_at IS NULL
              AND (n.owner_id = me OR n.id = ANY (shared))
        LEFT JOIN files f ON k.source_kind = 'file' AND f.id = k.source_id AND f.deleted_at IS NULL AND f.owner_id = me
        WHERE (c.id IS NOT NULL OR n.id IS NOT NULL OR f.id IS NOT NULL)
          AND (since IS NULL OR k.created_at >= since) AND (until IS NULL OR k.created_at < until)
        ORDER BY k.part_id, r.score DESC
    ),
    best AS (SELECT * FROM seen ORDER BY score DESC, created_at DESC LIMIT least(most, 100))
    SELECT b.source_kind, b.source_id, b.part_id, b.place, b.title,
           -- \x02 and \x03 mark what matched; no text holds them unescaped
           ts_headline('english', translate(b.text, E'\x02\x03', ''), coalesce(words || any_words, words),
                       E'StartSel=\x02, StopSel=\x03, MaxWords=45, MinWords=20, MaxFragments=1'),
           b.text, b.score, b.created_at
    FROM best b ORDER BY b.score DESC, b.created_at DESC;
END $$;

-- Files go with the rest, and their passages with them.
CREATE OR REPLACE FUNCTION purge_deleted(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH gone AS (DELETE FROM conversations WHERE deleted_at < before RETURNING id),
    gone_notes AS (DELETE FROM notes WHERE deleted_at < before RETURNING id),
    gone_files AS (DELETE FROM files WHERE deleted_at < before RETURNING id),
    gone_uploads AS (DELETE FROM uploads WHERE created_at < now() - interval '7 days'),
    passages AS (DELETE FROM chunks WHERE source_id IN
                 (SELECT id FROM gone UNION ALL SELECT id FROM gone_notes UNION ALL SELECT id FROM gone_files))
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM gone_notes) + (SELECT count(*) FROM gone_files)
$$;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION queue_chunks() OWNER TO sidebar_definer;
ALTER FUNCTION queue_for_model(text) OWNER TO sidebar_definer;
ALTER FUNCTION search_passages(text, halfvec, text, real, text[], timestamptz, timestamptz, integer) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION queue_for_model(text),
    search_passages(text, halfvec, text, real, text[], timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_for_model(text) TO sidebar_system;
GRANT EXECUTE ON FUNCTION search_passages(text, halfvec, text, real, text[], timestamptz, timestamptz, integer) TO sidebar_user;

CREATE TRIGGER queued AFTER INSERT ON chunks REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chunks();
