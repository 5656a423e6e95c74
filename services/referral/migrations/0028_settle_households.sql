SET LOCAL lock_timeout = '5s';

-- Members of a household are heard of in any order, by any process: whoever has just landed is marked, and the clock
-- brings together who belongs together, one household at a time.
ALTER TABLE households ADD COLUMN is_unsettled boolean NOT NULL DEFAULT FALSE;
CREATE INDEX households_unsettled ON households (household_id) WHERE is_unsettled;
