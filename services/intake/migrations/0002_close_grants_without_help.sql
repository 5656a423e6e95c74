SET LOCAL lock_timeout = '5s';

-- Only who has helped may look a person up for a while after. What ended before this was known is closed: in doubt
-- nobody reads a name.
ALTER TABLE disclosure_grants ADD COLUMN completed boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN disclosure_grants.completed IS 'help was given; false while it is being given and when it came to nothing';
