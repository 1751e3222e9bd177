-- One search, measured. Which passages may count is decided inside the indexes: whose they are, and what of.

-- A passage's words together with its owner and its source: an answer costs what one person's passages cost,
-- however many others have the same words.
CREATE INDEX chunks_found ON chunks USING gin (tsv, (ARRAY[owner_id, source_id]));
DROP INDEX chunks_words;
-- Also what the vectors refer to, so that a passage that goes finds its vector in one partition.
ALTER TABLE chunks ADD CONSTRAINT chunks_owned UNIQUE (owner_id, id);
DROP INDEX chunks_owner;

-- Vectors in parts by owner: in an index of one part, an owner's vectors are a good share of what is near.
ALTER TABLE chunk_vectors RENAME TO chunk_vectors_before;
ALTER INDEX chunk_vectors_pkey RENAME TO chunk_vectors_before_pkey;
ALTER INDEX chunk_vectors_source RENAME TO chunk_vectors_before_source;
DROP INDEX chunk_vectors_owner, chunk_vectors_near;
CREATE TABLE chunk_vectors (
    owner_id uuid NOT NULL,
    chunk_id bigint NOT NULL,
    -- as in the passage, so that a search need not look at its text
    source_kind text NOT NULL,
    source_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    model text NOT NULL,
    embedding halfvec(384) NOT NULL,
    PRIMARY KEY (owner_id, chunk_id),
    FOREIGN KEY (owner_id, chunk_id) REFERENCES chunks (owner_id, id) ON DELETE CASCADE
) PARTITION BY HASH (owner_id);
ALTER TABLE chunk_vectors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON chunk_vectors TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY definer ON chunk_vectors TO sidebar_definer USING (true);
GRANT SELECT, INSERT, UPDATE ON chunk_vectors TO sidebar_user;
GRANT SELECT ON chunk_vectors TO sidebar_definer;
DO $$
BEGIN
    FOR part IN 0..31 LOOP
        EXECUTE format('CREATE TABLE chunk_vectors_%s PARTITION OF chunk_vectors
                        FOR VALUES WITH (MODULUS 32, REMAINDER %s)', part, part);
        -- Nobody may reach a part but by the whole.
        EXECUTE format('ALTER TABLE chunk_vectors_%s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY own ON chunk_vectors_%s TO sidebar_user
                        USING (owner_id = (SELECT app_user_id()))', part);
    END LOOP;
END $$;
CREATE POLICY migration ON chunk_vectors_before TO CURRENT_USER USING (true);
CREATE POLICY migration ON chunk_vectors TO CURRENT_USER USING (true);
CREATE POLICY migration ON chunks TO CURRENT_USER USING (true);
INSERT INTO chunk_vectors (owner_id, chunk_id, source_kind, source_id, created_at, model, embedding)
    SELECT k.owner_id, k.id, k.source_kind, k.source_id, k.created_at, v.model, v.embedding
    FROM chunk_vectors_before v JOIN chunks k ON k.id = v.chunk_id;
DROP POLICY migration ON chunk_vectors;
DROP POLICY migration ON chunks;
DROP TABLE chunk_vectors_before;
CREATE INDEX chunk_vectors_source ON chunk_vectors (source_id);
CREATE INDEX chunk_vectors_narrowed ON chunk_vectors (owner_id, source_kind, created_at);
CREATE INDEX chunk_vectors_near ON chunk_vectors USING hnsw (embedding halfvec_cosine_ops) WITH (m = 16, ef_construction = 100);

CREATE POLICY definer ON collection_items FOR SELECT TO sidebar_definer USING (true);
GRANT SELECT ON collection_items TO sidebar_definer;
CREATE INDEX files_bin ON files (owner_id) WHERE deleted_at IS NOT NULL;

-- What passages are of: whose, what it is called, and whether it is in the bin. Whatever is to be found stands here.
CREATE VIEW search_sources AS
    SELECT n.id, n.owner_id, n.title, n.tags, n.folder_id, NULL::text AS folder, n.deleted_at FROM notes n
    UNION ALL
    SELECT f.id, f.owner_id, f.name, '{}', NULL, f.folder, f.deleted_at FROM files f
    UNION ALL
    SELECT p.id, p.owner_id, p.title, p.tags, NULL, NULL, p.deleted_at FROM pages p
    UNION ALL
    SELECT m.id, m.owner_id, left(m.content, 80), '{}', NULL, NULL, NULL FROM memories m
    UNION ALL
    SELECT c.id, c.owner_id, coalesce(nullif(c.title, ''), c.first_message), '{}', NULL, NULL, c.deleted_at
    FROM conversations c;

-- The words of a query, each by itself. `whole` is the word as written and by its stem; `part` is what it begins
-- with: of the last word, which is perhaps still being typed, all of it; of a long one, all but its ending.
-- Words that every text has are left out, unless there are no others.
CREATE FUNCTION query_words(typed text) RETURNS TABLE (n bigint, word text, whole tsquery, part tsquery)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public
SET client_min_messages = error
AS $$
    WITH words AS (
        SELECT w.n, w.word, phraseto_tsquery('simple', w.word) AS plain, phraseto_tsquery('english', w.word) AS stem,
               w.n = count(*) OVER () AS is_last
        FROM regexp_split_to_table(btrim(translate(lower(typed), '"()|&!:*<>''\', '            ')), '\s+')
             WITH ORDINALITY AS w (word, n)
        WHERE w.n <= 32
    )
    SELECT w.n, w.word, w.plain || w.stem,
           CASE WHEN w.word !~ '^[[:alnum:]]+$' THEN NULL
                WHEN w.is_last AND length(w.word) >= 2 THEN to_tsquery('simple', w.word || ':*')
                WHEN length(w.word) >= 6 THEN to_tsquery('simple', left(w.word, length(w.word) - 2) || ':*') END
    FROM words w
    WHERE numnode(w.plain) > 0
      AND (numnode(w.stem) > 0 OR NOT EXISTS (SELECT FROM words o WHERE numnode(o.stem) > 0))
    ORDER BY w.n LIMIT 16
$$;

-- Search by words and by meaning at once. It runs as a role that sees all passages and adds the visibility itself:
-- `@@` is not leakproof, and an index of vectors answers short under a policy.
--
-- `near` is the query's vector and may be null; then it is words alone. `space` names the model. `farthest` is the
-- cosine distance beyond which meaning does not count. `tuning` is k, then the weights of words, of parts of words
-- and of meaning: ranks are fused, weight / (k + rank), summed.
--
-- `sources` are all that is looked in, where that is not everything.
--
-- Every part that was found is a row, in its place; the passages themselves stand in `most` rows after `skip`.
CREATE FUNCTION find_passages(
    typed text, near halfvec, space text, farthest real, kinds text[], since timestamptz, until timestamptz,
    folders text[], wanted_tags text[], sources uuid[], tuning real[], skip integer, most integer
) RETURNS TABLE (source_kind text, source_id uuid, part_id uuid, place jsonb, title text, tags text[], passage text,
                 text text, by_words boolean, score double precision, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
SET client_min_messages = error
SET plan_cache_mode = force_custom_plan
-- of a common word some are enough, and reading the table for them looks cheap until somebody has none
SET enable_seqscan = off
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = 120
SET hnsw.max_scan_tuples = 40000
AS $$
#variable_conflict use_column
DECLARE
    me uuid := app_user_id();
    shared uuid[] := ARRAY(SELECT s.note_id FROM shared_notes() s);
    -- Nothing in the bin takes a place from what is not.
    binned uuid[] := ARRAY(SELECT s.id FROM search_sources s WHERE s.owner_id = me AND s.deleted_at IS NOT NULL);
    inside uuid[];
    reach uuid[];
    exactly boolean := typed ~ '"|(^|\s)-\w';
    -- What has digits or an underscore in it, or a capital inside, is a name of something: its letters say more than
    -- what it means.
    letters real := CASE WHEN typed ~ '[[:digit:]_]|[[:lower:]][[:upper:]]' THEN 3 ELSE 1 END;
    asked_for tsquery;
    shown tsquery;
    passages bigint := (SELECT count(*) FROM (SELECT FROM chunks k WHERE k.owner_id = me LIMIT 10001) AS few);
    by_their_words bigint[];
    by_meaning bigint[];
    by_theirs bigint[];
BEGIN
    IF folders IS NOT NULL OR wanted_tags IS NOT NULL THEN
        inside := sources_inside(folders, wanted_tags, shared);
    END IF;
    IF sources IS NOT NULL THEN
        inside := ARRAY(SELECT s.id FROM search_sources s
                        WHERE s.id = ANY (sources) AND (inside IS NULL OR s.id = ANY (inside)) AND s.deleted_at IS NULL
                          AND (s.owner_id = me OR s.id = ANY (shared)));
    END IF;
    reach := CASE WHEN cardinality(inside) <= 100 THEN inside ELSE me || shared END;
    SELECT string_agg('(' || concat_ws('|', nullif(q.whole::text, ''), q.part::text) || ')', '|')::tsquery
        INTO shown FROM query_words(typed) q;

    IF btrim(typed) = '' AND near IS NULL THEN
        -- Nothing but what narrows: the newest of it, each thing by its first passage. What has no title has none at 0.
        by_their_words := ARRAY(
            SELECT k.id FROM chunks k
            WHERE (k.owner_id = me OR k.source_id = ANY (shared)) AND k.source_id <> ALL (binned)
              AND (k.ordinal = 0 OR k.ordinal = 1 AND NOT EXISTS (
                       SELECT FROM chunks z WHERE z.part_id = k.part_id AND z.ordinal = 0))
              AND (inside IS NULL OR k.source_id = ANY (inside)) AND (kinds IS NULL OR k.source_kind = ANY (kinds))
              AND (since IS NULL OR k.created_at >= since) AND (until IS NULL OR k.created_at < until)
            ORDER BY k.id DESC LIMIT 100);
    ELSIF exactly OR typed ~ '\sOR\s' THEN
        asked_for := websearch_to_tsquery('simple', typed) || websearch_to_tsquery('english', typed);
        shown := asked_for;
        by_their_words := ARRAY(
            SELECT m.id FROM (
                SELECT k.id, k.created_at, ts_rank_cd(k.tsv, asked_for, 32) AS rank FROM chunks k
                WHERE k.tsv @@ asked_for AND ARRAY[k.owner_id, k.source_id] && reach AND k.source_id <> ALL (binned)
                  AND (inside IS NULL OR k.source_id = ANY (inside)) AND (kinds IS NULL OR k.source_kind = ANY (kinds))
                  AND (since IS NULL OR k.created_at >= since) AND (until IS NULL OR k.created_at < until)
                LIMIT 1000) AS m
            ORDER BY m.rank DESC, m.created_at DESC LIMIT 100);
    ELSE
        -- Every word counts by how rare it is among one's own passages; a part of a word for less.
        by_their_words := ARRAY(
            WITH asked AS MATERIALIZED (SELECT q.n, q.whole, q.part FROM query_words(typed) q),
            whole AS MATERIALIZED (
                SELECT a.n, h.id FROM asked a CROSS JOIN LATERAL (
                    SELECT k.id FROM chunks k
                    WHERE k.tsv @@ a.whole AND ARRAY[k.owner_id, k.source_id] && reach AND k.source_id <> ALL (binned)
                      AND (inside IS NULL OR k.source_id = ANY (inside))
                      AND (kinds IS NULL OR k.source_kind = ANY (kinds))
                      AND (since IS NULL OR k.created_at >= since) AND (until IS NULL OR k.created_at < until)
                    LIMIT 500) AS h
            ),
            found AS MATERIALIZED (
                SELECT w.n, 1::real AS weight, w.id FROM whole w
                UNION ALL
                -- of words that are hardly there as they were typed
                SELECT a.n, tuning[3], h.id FROM asked a CROSS JOIN LATERAL (
                    SELECT k.id FROM chunks k
                    WHERE k.tsv @@ a.part AND ARRAY[k.owner_id, k.source_id] && reach AND k.source_id <> ALL (binned)
                      AND (inside IS NULL OR k.source_id = ANY (inside))
                      AND (kinds IS NULL OR k.source_kind = ANY (kinds))
                      AND (since IS NULL OR k.created_at >= since) AND (until IS NULL OR k.created_at < until)
                    LIMIT 500) AS h
                WHERE tuning[3] > 0 AND a.part IS NOT NULL AND (SELECT count(*) FROM whole w WHERE w.n = a.n) < 100
            ),
            worth AS (
                SELECT f.n, f.weight, f.weight * ln(1 + passages::real / count(*)) AS points
                FROM found f GROUP BY f.n, f.weight
            ),
            -- Of words that many passages have, those that stand together.
            together AS (
                SELECT k.id FROM chunks k
                WHERE k.tsv @@ (SELECT string_agg('(' || a.whole::text || ')', '&')::tsquery FROM asked a)
                  AND (SELECT count(*) > 1 AND max(w.of) >= 500 FROM
                       (SELECT count(*) AS of FROM whole w GROUP BY w.n) AS w)
                  AND ARRAY[k.owner_id, k.source_id] && reach AND k.source_id <> ALL (binned)
                  AND (inside IS NULL OR k.source_id = ANY (inside))
                  AND (kinds IS NULL OR k.source_kind = ANY (kinds))
                  AND (since IS NULL OR k.created_at >= since) AND (until IS NULL OR k.created_at < until)
                LIMIT 500
            ),
            counted AS (
                SELECT c.id, sum(c.points) AS points FROM (
                    SELECT p.id, p.n, max(p.points) AS points FROM (
                        SELECT f.id, f.n, w.points FROM found f JOIN worth w USING (n, weight)
                        UNION ALL
                        SELECT t.id, w.n, w.points FROM together t CROSS JOIN worth w WHERE w.weight = 1
                    ) AS p GROUP BY p.id, p.n
                ) AS c GROUP BY c.id ORDER BY points DESC, c.id DESC LIMIT 150
            )
            SELECT c.id FROM counted c JOIN chunks k ON k.id = c.id
            ORDER BY c.points * (1 + ts_rank_cd(k.tsv, shown, 33)) DESC, k.created_at DESC LIMIT 100);
    END IF;

    -- Where quotes or a minus say what is wanted, what is only similar is not.
    IF near IS NOT NULL AND NOT exactly THEN
        IF passages > 10000 AND (inside IS NULL OR cardinality(inside) > 100) THEN
            by_meaning := ARRAY(
                SELECT m.chunk_id FROM (
                    SELECT v.chunk_id, v.embedding <=> near AS distance FROM chunk_vectors v
                    WHERE v.owner_id = me AND v.model = space AND v.source_id <> ALL (binned)
                      AND (inside IS NULL OR v.source_id = ANY (inside))
                      AND (kinds IS NULL OR v.source_kind = ANY (kinds))
                      AND (since IS NULL OR v.created_at >= since) AND (until IS NULL OR v.created_at < until)
                    ORDER BY v.embedding <=> near LIMIT 100) AS m
                ORDER BY m.distance);
        END IF;
        -- Of few, all are compared; so is what is narrowed so far that the index of vectors meets too little of it.
        IF coalesce(cardinality(by_meaning), 0) < 100 THEN
            by_meaning := ARRAY(
                SELECT m.chunk_id FROM (
                    SELECT v.chunk_id, v.embedding <=> near AS distance FROM chunk_vectors v
                    WHERE v.owner_id = me AND v.model = space AND v.source_id <> ALL (binned)
                      AND (inside IS NULL OR v.source_id = ANY (inside))
                      AND (kinds IS NULL OR v.source_kind = ANY (kinds))
                      AND (since IS NULL OR v.created_at >= since) AND (until IS NULL OR v.created_at < until)
                    -- not the index of vectors
                    ORDER BY (v.embedding <=> near) + 0 LIMIT 100) AS m
                ORDER BY m.distance);
        END IF;
        by_meaning := ARRAY(
            SELECT m.id FROM unnest(by_meaning) WITH ORDINALITY AS m (id, rank)
            JOIN chunk_vectors v ON v.owner_id = me AND v.chunk_id = m.id
            WHERE v.embedding <=> near <= farthest ORDER BY m.rank);
        IF cardinality(shared) > 0 THEN
            -- notes of others: by rank among themselves
            by_theirs := ARRAY(
                SELECT m.chunk_id FROM (
                    SELECT v.chunk_id, v.embedding <=> near AS distance FROM chunk_vectors v
                    WHERE v.owner_id IN (SELECT n.owner_id FROM notes n WHERE n.id = ANY (shared))
                      AND v.source_id = ANY (shared) AND v.owner_id <> me AND v.model = space
                      AND (inside IS NULL OR v.source_id = ANY (inside))
                      AND (kinds IS NULL OR v.source_kind = ANY (kinds))
                      AND (since IS NULL OR v.created_at >= since) AND (until IS NULL OR v.created_at < until)
                    ORDER BY (v.embedding <=> near) + 0 LIMIT 50) AS m
                WHERE m.distance <= farthest ORDER BY m.distance);
        END IF;
    END IF;

    RETURN QUERY
    WITH ranked AS (
        SELECT l.id, sum(l.weight / (tuning[1] + l.rank))::double precision AS score, bool_or(l.is_word) AS is_word FROM (
            SELECT w.id, w.rank, tuning[2] * letters AS weight, true AS is_word FROM unnest(by_their_words) WITH ORDINALITY AS w (id, rank)
            UNION ALL
            SELECT n.id, n.rank, tuning[4], false FROM unnest(by_meaning) WITH ORDINALITY AS n (id, rank)
            UNION ALL
            -- behind one's own of the same rank
            SELECT t.id, t.rank, tuning[4] / 2, false FROM unnest(by_theirs) WITH ORDINALITY AS t (id, rank)
        ) AS l GROUP BY l.id
    ),
    -- A part counts by its best passage, and is shown by the best that is more than its title.
    seen AS (
        SELECT DISTINCT ON (k.part_id) k.id, k.source_kind, k.source_id, k.part_id, k.created_at, s.title, s.tags,
               max(r.score) OVER (PARTITION BY k.part_id) AS score, bool_or(r.is_word) OVER (PARTITION BY k.part_id) AS is_word
        FROM ranked r
        JOIN chunks k ON k.id = r.id
        CROSS JOIN LATERAL (
            SELECT o.title, o.tags FROM search_sources o
            WHERE o.id = k.source_id AND o.deleted_at IS NULL AND (o.owner_id = me OR o.id = ANY (shared))) AS s
        WHERE r.score > 0
        ORDER BY k.part_id, k.ordinal = 0 AND k.part_id = k.source_id, r.score DESC, k.id
    ),
    placed AS (SELECT s.*, row_number() OVER (ORDER BY s.score DESC, s.created_at DESC, s.id) AS n FROM seen s)
    SELECT p.source_kind, p.source_id, p.part_id, k.place, p.title, p.tags,
           -- \x02 and \x03 mark what matched; no text holds them unescaped
           CASE WHEN k.id IS NOT NULL THEN
               ts_headline('english', translate(k.text, E'\x02\x03', ''), coalesce(shown, ''::tsquery),
                           E'StartSel=\x02, StopSel=\x03, MaxWords=45, MinWords=20, MaxFragments=1') END,
           k.text, p.is_word, p.score, p.created_at
    FROM placed p
    LEFT JOIN chunks k ON k.id = p.id AND p.n > skip AND p.n <= skip + most
    ORDER BY p.n;
END $$;

-- What one may see of these tags, in folders of these names or below them.
CREATE FUNCTION sources_inside(folders text[], wanted_tags text[], shared uuid[]) RETURNS uuid[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, public
AS $$
    WITH RECURSIVE named AS (
        SELECT f.id FROM folders f
        WHERE lower(f.name) = ANY (folders)
          AND (f.owner_id = app_user_id() OR f.id IN (SELECT shared_folders()))
        UNION
        SELECT f.id FROM folders f JOIN named n ON f.parent_id = n.id
    )
    SELECT coalesce(array_agg(s.id), '{}') FROM search_sources s
    WHERE (s.owner_id = app_user_id() OR s.id = ANY (shared)) AND s.deleted_at IS NULL
      AND (folders IS NULL OR s.folder_id IN (SELECT id FROM named)
           OR lower(s.folder) = ANY (folders) OR string_to_array(lower(s.folder), '/') && folders
           OR s.id IN (SELECT i.thing_id FROM collection_items i JOIN collections c ON c.id = i.collection_id
                       WHERE EXISTS (SELECT FROM unnest(folders) AS f (name) WHERE starts_with(lower(c.name), f.name)) AND c.deleted_at IS NULL
                         AND (c.owner_id = app_user_id() OR c.id IN (SELECT shared_collections()))))
      AND (wanted_tags IS NULL OR ARRAY(SELECT lower(tag) FROM unnest(s.tags) tag) @> wanted_tags)
$$;

-- For words of a query that none of one's own passages has: words that are there and share most groups of three
-- letters with it, each with a passage that it stands in. Bounded by the newest 3,000 passages. Nobody else's count.
CREATE FUNCTION likely_words(typed text) RETURNS TABLE (word text, likely text, sample text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
SET client_min_messages = error
SET plan_cache_mode = force_custom_plan
AS $$
    WITH unknown AS MATERIALIZED (
        SELECT q.word, '  ' || q.word || ' ' AS padded FROM query_words(typed) q
        WHERE q.word ~ '^[[:alpha:]]{4,24}$'
          AND NOT EXISTS (SELECT FROM chunks k WHERE k.tsv @@ (q.whole || coalesce(q.part, ''::tsquery))
                          AND ARRAY[k.owner_id, k.source_id] && ARRAY[app_user_id()])
        LIMIT 4
    ),
    newest AS MATERIALIZED (
        SELECT k.tsv FROM chunks k WHERE k.owner_id = app_user_id() AND EXISTS (SELECT FROM unknown)
        ORDER BY k.id DESC LIMIT 3000
    ),
    vocabulary AS MATERIALIZED (
        SELECT DISTINCT v.lexeme, '  ' || v.lexeme || ' ' AS padded
        FROM newest CROSS JOIN LATERAL unnest(tsvector_to_array(newest.tsv)) AS v (lexeme)
        WHERE v.lexeme ~ '^[[:alpha:]]{3,26}$'
    ),
    alike AS (
        SELECT c.word, c.lexeme, row_number() OVER (
            PARTITION BY c.word ORDER BY c.shared::real / (length(c.word) + length(c.lexeme)) DESC) AS n
        FROM (SELECT u.word, v.lexeme, (SELECT count(*) FROM generate_series(1, length(u.word) + 1) g
                                        WHERE position(substr(u.padded, g, 3) IN v.padded) > 0) AS shared
              FROM unknown u JOIN vocabulary v ON length(v.lexeme) BETWEEN length(u.word) - 4 AND length(u.word) + 2) AS c
        WHERE c.shared >= 2
    )
    SELECT a.word, a.lexeme, k.text FROM alike a CROSS JOIN LATERAL (
        SELECT k.text FROM chunks k
        WHERE k.tsv @@ phraseto_tsquery('simple', a.lexeme) AND ARRAY[k.owner_id, k.source_id] && ARRAY[app_user_id()]
        LIMIT 1) AS k
    WHERE a.n <= 8 ORDER BY a.word, a.n
$$;

-- By which version of the rules a passage was cut; a job cuts older ones anew.
ALTER TABLE chunks ADD COLUMN cut_by integer NOT NULL DEFAULT 1;
CREATE INDEX chunks_cut ON chunks (cut_by);
GRANT UPDATE (cut_by) ON chunks TO sidebar_user, sidebar_sync;
-- Titles and names are not cut.
CREATE FUNCTION cut_before(cutter integer, most integer) RETURNS TABLE (owner_id uuid, source_kind text, source_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT DISTINCT o.owner_id, o.source_kind, o.source_id FROM (
        SELECT k.owner_id, k.source_kind, k.source_id FROM chunks k
        WHERE k.cut_by < cutter AND (k.source_kind = 'message' OR k.source_kind IN ('note', 'file') AND k.ordinal > 0)
        LIMIT 1000) AS o
    LIMIT most
$$;
CREATE POLICY migration ON schedules TO CURRENT_USER USING (true);
INSERT INTO schedules (kind, every) VALUES ('cut_passages', '1 hour');
DROP POLICY migration ON schedules;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION cut_before(integer, integer) OWNER TO sidebar_definer;
ALTER FUNCTION likely_words(text) OWNER TO sidebar_definer;
ALTER VIEW search_sources OWNER TO sidebar_definer;
ALTER FUNCTION sources_inside(text[], text[], uuid[]) OWNER TO sidebar_definer;
ALTER FUNCTION find_passages(text, halfvec, text, real, text[], timestamptz, timestamptz, text[], text[], uuid[], real[],
    integer, integer) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
GRANT EXECUTE ON FUNCTION shared_folders() TO sidebar_definer;
REVOKE ALL ON FUNCTION cut_before(integer, integer), likely_words(text), sources_inside(text[], text[], uuid[]),
    find_passages(text, halfvec, text, real, text[], timestamptz, timestamptz, text[], text[], uuid[], real[],
        integer, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cut_before(integer, integer) TO sidebar_system;
GRANT EXECUTE ON FUNCTION likely_words(text),
    find_passages(text, halfvec, text, real, text[], timestamptz, timestamptz, text[], text[], uuid[], real[],
        integer, integer)
    TO sidebar_user;
DROP FUNCTION search_passages(text, halfvec, text, real, text[], timestamptz, timestamptz, integer);
