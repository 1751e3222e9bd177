-- Passages of notes say under which heading they stand, as those of files and pages do.
GRANT UPDATE (place) ON chunks TO sidebar_sync;
