SET LOCAL lock_timeout = '5s';

-- Each row of a list that was held back, until its person stands in a later list or is logged by hand. What it said
-- of the person is kept as a keyed digest of the cells that could be read: it can be compared, and not read.
CREATE TABLE held_rows (
    manifest_id uuid NOT NULL REFERENCES manifests,
    row_number integer NOT NULL,
    voyage_id uuid NOT NULL REFERENCES voyages,
    said text[] NOT NULL,
    mark bytea NOT NULL,
    settled_by uuid REFERENCES manifests,
    settled_at timestamptz,
    PRIMARY KEY (manifest_id, row_number),
    CONSTRAINT held_row_has_a_mark_of_what_it_said CHECK (octet_length(mark) = 16),
    CONSTRAINT held_row_is_settled_by_a_later_list CHECK (settled_by > manifest_id),
    CONSTRAINT row_settled_by_a_list_has_its_time CHECK (settled_by IS NULL OR settled_at IS NOT NULL)
);
CREATE INDEX held_rows_of_voyage ON held_rows (voyage_id, manifest_id);
COMMENT ON COLUMN held_rows.said IS 'which fields the mark is made of';
COMMENT ON COLUMN held_rows.settled_by IS 'the later list that has this person; NULL for who was logged by hand';

-- Of the rows held back before this was known, only their own file or the whole list tells them again.
INSERT INTO held_rows (manifest_id, row_number, voyage_id, said, mark, settled_by, settled_at)
SELECT DISTINCT p.manifest_id, p.row_number, m.voyage_id, '{}'::text[], decode(repeat('00', 16), 'hex'),
    later.manifest_id, later.finished_at
FROM manifest_problems p JOIN manifests m USING (manifest_id)
LEFT JOIN manifests later ON later.manifest_id = m.superseded_by AND later.manifest_id > m.manifest_id;
