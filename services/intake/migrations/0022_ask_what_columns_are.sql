SET LOCAL lock_timeout = '5s';

-- A list of which nobody knows what its columns are is kept and asked about; until then no row of it is read.
ALTER TABLE drafts ADD COLUMN asks text[] NOT NULL DEFAULT '{}';
ALTER TABLE drafts ADD CONSTRAINT draft_asks_for_what_is_known CHECK (
    asks <@ ARRAY['heading', 'doubled', 'full_name', 'sex', 'birth_date']
) NOT VALID;
ALTER TABLE drafts ADD CONSTRAINT unread_draft_has_nobody_ready CHECK (
    asks = '{}' OR (state NOT IN ('sending', 'sent') AND ready = 0 AND twice = 0 AND known = 0)
) NOT VALID;
