SET LOCAL lock_timeout = '5s';

-- Who was logged in a hurry is to be completed; few are, and only these are in the index.
ALTER TABLE arrivals ADD COLUMN unfinished boolean NOT NULL DEFAULT FALSE;
CREATE INDEX arrivals_to_complete ON arrivals (port, case_id) WHERE unfinished;
COMMENT ON COLUMN arrivals.unfinished IS 'logged in a hurry: who it is has to be completed';
