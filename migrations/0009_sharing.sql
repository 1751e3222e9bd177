-- Whom a change of a folder concerns: its owner, and the members it is shared with, also by one above it.
CREATE FUNCTION folder_audience(folder uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH RECURSIVE above AS (
        SELECT f.id, f.parent_id, f.owner_id FROM folders f WHERE f.id = folder
        UNION
        SELECT f.id, f.parent_id, f.owner_id FROM folders f JOIN above a ON f.id = a.parent_id
    )
    SELECT owner_id FROM above
    UNION
    SELECT s.user_id FROM note_shares s
    WHERE s.user_id IS NOT NULL AND (s.expires_at IS NULL OR s.expires_at > now())
      AND s.folder_id IN (SELECT id FROM above)
$$;

-- The name of somebody on this server, for whoever sees a note that they wrote in.
CREATE FUNCTION person_name(person uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT u.display_name FROM users u
    WHERE u.id = person AND (app_user_id() IS NOT NULL OR app_share_id() IS NOT NULL)
$$;

GRANT CREATE ON SCHEMA public TO sidebar_definer;
ALTER FUNCTION folder_audience(uuid) OWNER TO sidebar_definer;
ALTER FUNCTION person_name(uuid) OWNER TO sidebar_definer;
REVOKE CREATE ON SCHEMA public FROM sidebar_definer;
REVOKE ALL ON FUNCTION folder_audience(uuid), person_name(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION folder_audience(uuid), person_name(uuid) TO sidebar_user;
