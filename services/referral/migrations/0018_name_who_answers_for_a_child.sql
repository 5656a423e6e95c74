SET LOCAL lock_timeout = '5s';

-- Who answers for a child, step by step; the last one stands. `duty`: a system recorded the landing, and the supervisor of
-- the port's province answers until a person takes it.
CREATE TABLE responsibilities (
    case_id uuid NOT NULL,
    seq integer NOT NULL,
    officer text NOT NULL,
    organisation text NOT NULL,
    since timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (case_id, seq),
    CONSTRAINT responsibility_counts_from_one CHECK (seq >= 1),
    CONSTRAINT responsibility_names_somebody CHECK (officer <> '' AND organisation <> ''),
    CONSTRAINT responsibility_reason_is_known CHECK (reason IN ('arrival', 'duty', 'acceptance', 'takeover')),
    CONSTRAINT responsibility_begins_at_the_landing CHECK ((seq = 1) = (reason IN ('arrival', 'duty')))
);
COMMENT ON TABLE responsibilities IS 'append-only: who answers for a child, and since when';

-- Children that are here already: the supervisor of the port's province answers, until a person takes it.
INSERT INTO responsibilities (case_id, seq, officer, organisation, since, reason)
SELECT DISTINCT ON (case_id) case_id, 1, 'supervisor-' || left(regency, 2), 'port-' || port, opened_at, 'duty'
FROM referrals WHERE age_band IN ('child', 'unknown') ORDER BY case_id, opened_at;

-- Looked at only where a child's need is written, and when the transaction ends, so that both may be written in it.
CREATE FUNCTION refuse_child_without_officer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM responsibilities WHERE case_id = NEW.case_id) THEN
        RAISE EXCEPTION 'nobody answers for the child of case %', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'child_has_a_responsible_officer';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER child_has_a_responsible_officer AFTER INSERT ON referrals
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.age_band IN ('child', 'unknown')) EXECUTE FUNCTION refuse_child_without_officer();
