SET LOCAL lock_timeout = '5s';

-- Whether anybody of a voyage was called yet decides who is recorded by its lists.
CREATE INDEX roll_calls_of_voyage ON roll_calls (voyage_id);
