-- The passages of some sources that fit best, at most `each` of a source and `most` in all. What is asked is what
-- people say to a model, not a query: any of its words counts, rarer ones for more. There are few passages to look
-- at, so that meaning is compared exactly. Like `find_passages` this adds the visibility itself.
CREATE FUNCTION search_within(
    typed text, near halfvec, space text, farthest real, sources uuid[], each integer, most integer
) RETURNS TABLE (source_kind text, source_id uuid, part_id uuid, ordinal integer, place jsonb, title text, passage text,
                 text text, score double precision, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    me uuid := app_user_id();
    shared uuid[] := ARRAY(SELECT s.note_id FROM shared_notes() s);
    all_words tsquery := words_query(typed);
    any_words tsquery := nullif(replace(plainto_tsquery('english', typed)::text, '&', '|'), '')::tsquery;
    visible uuid[] := ARRAY(
        SELECT s.id FROM search_sources s
        WHERE s.id = ANY (sources) AND s.deleted_at IS NULL AND (s.owner_id = me OR s.id = ANY (shared)));
BEGIN
    RETURN QUERY
    WITH there AS MATERIALIZED (
        SELECT k.id, k.tsv FROM chunks k
        WHERE k.source_id = ANY (visible)
    ),
    by_words AS (
        SELECT t.id, row_number() OVER (ORDER BY (t.tsv @@ all_words) DESC,
                                        ts_rank_cd(t.tsv, coalesce(any_words, all_words), 32) DESC, t.id) AS rank
        FROM there t WHERE t.tsv @@ all_words OR t.tsv @@ any_words
        ORDER BY rank LIMIT 200
    ),
    by_meaning AS (
        SELECT m.id, row_number() OVER (ORDER BY m.distance) AS rank FROM (
            SELECT v.chunk_id AS id, v.embedding <=> near AS distance FROM there t
            JOIN chunk_vectors v ON v.chunk_id = t.id
            WHERE near IS NOT NULL AND v.model = space
            -- not the index of vectors
            ORDER BY (v.embedding <=> near) + 0 LIMIT 200) AS m
        WHERE m.distance <= farthest
    ),
    ranked AS (
        SELECT l.id, sum(1.0::double precision / (60 + l.rank)) AS score
        FROM (SELECT * FROM by_words UNION ALL SELECT * FROM by_meaning) AS l GROUP BY l.id
    ),
    placed AS (
        SELECT k.source_kind, k.source_id, k.part_id, k.ordinal, k.place, k.text, k.created_at, r.score,
               row_number() OVER (PARTITION BY k.source_id ORDER BY r.score DESC, k.id) AS place_in_source
        FROM ranked r JOIN chunks k ON k.id = r.id
    ),
    best AS (SELECT * FROM placed WHERE place_in_source <= each ORDER BY score DESC LIMIT least(most, 500))
    SELECT b.source_kind, b.source_id, b.part_id, b.ordinal, b.place, s.title,
           ts_headline('english', translate(b.text, E'\x02\x03', ''), coalesce(all_words || any_words, all_words),
                       E'StartSel=\x02, StopSel=\x03, MaxWords=45, MinWords=20, MaxFragments=1'),
           b.text, b.score, b.created_at
    FROM best b
    JOIN search_sources s ON s.id = b.source_id
    ORDER BY b.score DESC, b.created_at DESC;
END $$;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION search_within(text, halfvec, text, real, uuid[], integer, integer) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION search_within(text, halfvec, text, real, uuid[], integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_within(text, halfvec, text, real, uuid[], integer, integer) TO sidebar_user;
