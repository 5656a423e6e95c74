SET LOCAL lock_timeout = '5s';

-- Each arrival wrote an entry into both, and only erasures, corrections and exports look there. Ids come in the order
-- of landing, so that ranges of pages tell where somebody is: a summary of sixteen pages costs an arrival nothing.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX arrivals_of_person;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX requests_of_case;
CREATE INDEX arrivals_of_person ON arrivals USING brin (person_id)
WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX requests_of_case ON requests USING brin (case_id)
WITH (pages_per_range = 16, autosummarize = on);
