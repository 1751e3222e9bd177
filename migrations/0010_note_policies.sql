-- What belongs to a note is seen with the note: asked of the one note, not of the set of all notes.
ALTER POLICY seen ON note_versions USING (EXISTS (SELECT FROM notes n WHERE n.id = note_versions.note_id));
ALTER POLICY seen ON note_runs USING (EXISTS (SELECT FROM notes n WHERE n.id = note_runs.note_id));
ALTER POLICY seen ON note_links USING (EXISTS (SELECT FROM notes n WHERE n.id = note_links.from_id));
ALTER POLICY seen ON note_comments USING (EXISTS (SELECT FROM notes n WHERE n.id = note_comments.note_id));
ALTER POLICY seen ON note_attachments USING (EXISTS (SELECT FROM notes n WHERE n.id = note_attachments.note_id));
CREATE INDEX note_attachments_blob ON note_attachments (owner_id, sha256);
