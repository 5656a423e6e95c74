SET LOCAL lock_timeout = '5s';

-- When help for a need ended; NULL while it goes on. `heard_seq` is the number that referral gave to what was heard
-- last of the case, so that what comes late or again changes nothing.
ALTER TABLE referred_needs ADD COLUMN ended_at timestamptz;
ALTER TABLE referred_needs ADD COLUMN heard_seq integer NOT NULL DEFAULT 0;
COMMENT ON TABLE referred_needs IS 'needs that referral has taken up, and when help ended';

-- What was removed because its period had ended: one row for each batch.
CREATE TABLE retention_reports (
    report_id uuid PRIMARY KEY,
    rule text NOT NULL,
    removed integer NOT NULL,
    held integer NOT NULL,
    reported_at timestamptz NOT NULL,
    CONSTRAINT report_says_something CHECK (removed > 0 AND held >= 0)
);
COMMENT ON TABLE retention_reports IS 'append-only: what the clock removed, and what a legal hold kept; service only';

-- First answers are kept for as long as anybody repeats a write.
COMMENT ON TABLE answers IS 'the first answer to each keyed write, for thirty days';
