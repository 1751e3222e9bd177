-- Titles of conversations are passages like any other: found by the same index, by the same function,
-- under the same rule of who may see them. A title's part is the conversation itself.
CREATE FUNCTION index_title() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    DELETE FROM chunks WHERE part_id = NEW.id;
    IF NEW.title <> '' THEN
        INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, created_at)
        VALUES (NEW.owner_id, 'conversation', NEW.id, NEW.id, 0, NEW.title, NEW.created_at);
    END IF;
    RETURN NULL;
END $$;
-- It runs as whoever gives the title, and may do no more than they.
CREATE TRIGGER index_title AFTER INSERT OR UPDATE OF title ON conversations
    FOR EACH ROW EXECUTE FUNCTION index_title();

CREATE POLICY migration ON conversations TO CURRENT_USER USING (true);
CREATE POLICY migration ON chunks TO CURRENT_USER USING (true);
INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, created_at)
    SELECT owner_id, 'conversation', id, id, 0, title, created_at FROM conversations WHERE title <> '';
DROP POLICY migration ON conversations;
DROP POLICY migration ON chunks;
