SET LOCAL lock_timeout = '5s';

-- The code that stands on a slip is made of the end of the case's id; the first row of a case leads to it.
CREATE INDEX leaves_by_code ON leaves (right(case_id::text, 10)) WHERE case_seq = 1;
