-- Pages and memories are read anew, and cut anew, with all the rest.
ALTER TABLE reindexings DROP CONSTRAINT reindexings_stage_check;
ALTER TABLE reindexings ADD CONSTRAINT reindexings_stage_check
    CHECK (stage IN ('files', 'notes', 'conversations', 'pages', 'memories'));

-- Titles and names are not cut; what is said in a message or a memory begins at 0.
CREATE OR REPLACE FUNCTION cut_before(cutter integer, most integer) RETURNS TABLE (owner_id uuid, source_kind text, source_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT DISTINCT o.owner_id, o.source_kind, o.source_id FROM (
        SELECT k.owner_id, k.source_kind, k.source_id FROM chunks k
        WHERE k.cut_by < cutter
          AND (k.source_kind IN ('message', 'memory') OR k.source_kind IN ('note', 'file', 'page') AND k.ordinal > 0)
        LIMIT 1000) AS o
    LIMIT most
$$;
