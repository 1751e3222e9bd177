-- Passages to be found by words; one or more a message for now.
CREATE TABLE chunks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    source_kind text NOT NULL,
    -- the thing that opens, and the part of it where the passage is
    source_id uuid NOT NULL,
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    text text NOT NULL,
    -- both as written and by stem, so that names and inflected words are found
    tsv tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', text) || to_tsvector('english', text)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (part_id, ordinal)
);
CREATE INDEX chunks_words ON chunks USING gin (tsv);
CREATE INDEX chunks_owner ON chunks (owner_id);
CREATE INDEX chunks_source ON chunks (source_id);
ALTER TABLE chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON chunks TO sidebar_user USING (owner_id = (SELECT app_user_id()));
CREATE POLICY definer ON chunks TO sidebar_definer USING (true);
GRANT SELECT, INSERT, DELETE ON chunks TO sidebar_user;
GRANT SELECT, DELETE ON chunks TO sidebar_definer;

-- What a person typed as a query: operators of a web search, or the beginnings of words while typing.
CREATE FUNCTION words_query(typed text) RETURNS tsquery
LANGUAGE sql STABLE PARALLEL SAFE
RETURN websearch_to_tsquery('simple', typed) || websearch_to_tsquery('english', typed)
    || coalesce((SELECT to_tsquery('simple', string_agg(quote_literal(word) || ':*', ' & '))
                 FROM regexp_split_to_table(lower(regexp_replace(typed, '[^[:alnum:]]+', ' ', 'g')), '\s+') AS word
                 WHERE word <> ''), ''::tsquery);

-- Word search. `@@` is not leakproof, so under a policy Postgres would not use the GIN index:
-- this function runs as a role that sees all passages and adds the visibility itself.
CREATE FUNCTION search_words(typed text, most integer)
RETURNS TABLE (source_kind text, source_id uuid, part_id uuid, title text, passage text, rank real, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH query AS MATERIALIZED (SELECT words_query(typed) AS words),
    found AS (
        SELECT DISTINCT ON (k.part_id)
               k.source_kind, k.source_id, k.part_id, k.text, k.created_at,
               coalesce(nullif(c.title, ''), c.first_message) AS title,
               ts_rank_cd(k.tsv, query.words, 32) AS rank
        FROM query, chunks k
        JOIN conversations c ON c.id = k.source_id AND c.deleted_at IS NULL AND c.owner_id = app_user_id()
        WHERE k.tsv @@ query.words AND k.owner_id = app_user_id()
        ORDER BY k.part_id, ts_rank_cd(k.tsv, query.words, 32) DESC
    ),
    best AS (SELECT * FROM found ORDER BY rank DESC, created_at DESC LIMIT least(most, 100))
    SELECT b.source_kind, b.source_id, b.part_id, b.title,
           -- \x02 and \x03 mark what matched; no text holds them unescaped
           ts_headline('english', translate(b.text, E'\x02\x03', ''), query.words,
                       E'StartSel=\x02, StopSel=\x03, MaxWords=45, MinWords=20, MaxFragments=1'),
           b.rank, b.created_at
    FROM best b, query
    ORDER BY b.rank DESC, b.created_at DESC
$$;

-- Deletes for good what was deleted before the given time. Answers, events and passages go with it.
CREATE FUNCTION purge_deleted(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH gone AS (DELETE FROM conversations WHERE deleted_at < before RETURNING id),
    passages AS (DELETE FROM chunks WHERE source_id IN (SELECT id FROM gone))
    SELECT count(*) FROM gone
$$;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION search_words(text, integer) OWNER TO sidebar_definer;
ALTER FUNCTION purge_deleted(timestamptz) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION search_words(text, integer), purge_deleted(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_words(text, integer) TO sidebar_user;
GRANT EXECUTE ON FUNCTION purge_deleted(timestamptz) TO sidebar_system;
