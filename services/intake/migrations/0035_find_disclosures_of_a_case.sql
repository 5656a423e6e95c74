SET LOCAL lock_timeout = '5s';

-- Erasing somebody ends what agencies may see of them.
CREATE INDEX disclosure_grants_of_case ON disclosure_grants (case_id);
