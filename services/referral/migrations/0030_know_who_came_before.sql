SET LOCAL lock_timeout = '5s';

-- Which two cases were found at a port to be of one person, the later one first: the decisions that stand there.
CREATE TABLE earlier_landings (
    match_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    earlier_case_id uuid NOT NULL,
    CONSTRAINT earlier_landing_is_another CHECK (case_id <> earlier_case_id)
);
CREATE INDEX earlier_landings_of_case ON earlier_landings (case_id);
CREATE INDEX earlier_landings_of_earlier_case ON earlier_landings (earlier_case_id);
COMMENT ON TABLE earlier_landings IS 'pairs of cases of one person; they end with the decision, and with an erasure of either';

-- Landings that were none: they count as no earlier one, whatever was decided of them.
CREATE TABLE landings_in_error (case_id uuid PRIMARY KEY);
COMMENT ON TABLE landings_in_error IS 'append-only: arrivals that were entered in error';
