SET LOCAL lock_timeout = '5s';

-- Where what a row said stands in the list of the voyage that its person rolls over to, so that it can come back. That
-- list may be kept in the same step, after the call.
ALTER TABLE roll_calls ADD COLUMN next_draft_id uuid;
ALTER TABLE roll_calls ADD COLUMN next_row integer;
ALTER TABLE roll_calls ADD CONSTRAINT roll_calls_next_draft_id_fkey
FOREIGN KEY (next_draft_id) REFERENCES drafts DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE roll_calls ADD CONSTRAINT only_who_comes_later_stands_on_the_next_list CHECK (
    (next_draft_id IS NULL) = (next_row IS NULL) AND (next_draft_id IS NULL OR next_voyage_id IS NOT NULL)
) NOT VALID;

-- Who comes to a voyage from earlier ones.
CREATE INDEX roll_calls_to_voyage ON roll_calls (next_voyage_id) WHERE next_voyage_id IS NOT NULL;
