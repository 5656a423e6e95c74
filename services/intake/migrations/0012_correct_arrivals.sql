SET LOCAL lock_timeout = '5s';

-- What routing rests on can be corrected. The arrival is as it is now; the history says what it was, who said so, and why.
ALTER TABLE arrivals ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE arrivals ADD COLUMN ended_as text;
ALTER TABLE arrivals ADD CONSTRAINT arrival_ends_in_a_known_way CHECK (ended_as IN ('entered_in_error', 'died')) NOT VALID;
COMMENT ON COLUMN arrivals.version IS 'grows with each correction; arrival_corrections has one row for each above 1';

CREATE TABLE arrival_corrections (
    case_id uuid NOT NULL,
    version integer NOT NULL,
    port text NOT NULL,
    kind text NOT NULL,
    was text,
    became text,
    added text[] NOT NULL,
    struck text[] NOT NULL,
    reason text,
    strike_reason text,
    proof text,
    duplicate_of uuid,
    died_on date,
    proposed_by text,
    corrected_by text NOT NULL,
    corrected_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, version),
    CONSTRAINT arrival_correction_kind_is_known
    CHECK (kind IN ('age', 'sex', 'origin', 'needs', 'entered_in_error', 'died')),
    CONSTRAINT corrections_count_from_the_arrival CHECK (version > 1),
    CONSTRAINT correction_says_why CHECK (reason IS NOT NULL OR strike_reason IS NOT NULL OR kind = 'died'),
    CONSTRAINT age_is_corrected_from_and_to CHECK (kind <> 'age' OR (was IS NOT NULL AND became IS NOT NULL)),
    CONSTRAINT two_people_make_a_child_an_adult CHECK (
        kind <> 'age' OR was NOT IN ('child', 'unknown') OR became NOT IN ('adult', 'elderly')
        OR (proposed_by IS NOT NULL AND proposed_by <> corrected_by AND proof IS NOT NULL)
    )
);
COMMENT ON TABLE arrival_corrections IS 'append-only: what was corrected of an arrival, by whom and why, in codes';

-- Somebody asks that a child count as of age. The birth that it follows from is sealed under the person's own key.
CREATE TABLE age_proposals (
    proposal_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    regency text NOT NULL,
    was text NOT NULL,
    becomes text NOT NULL,
    sealed bytea NOT NULL,
    reason text NOT NULL,
    proof text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    ended_as text,
    ended_by text,
    ended_at timestamptz,
    CONSTRAINT proposal_takes_a_child_of_age
    CHECK (was IN ('child', 'unknown') AND becomes IN ('adult', 'elderly')),
    CONSTRAINT proposal_ends_in_a_known_way
    CHECK (ended_as IN ('confirmed', 'refused', 'withdrawn', 'overtaken', 'erased')),
    CONSTRAINT ended_proposal_says_by_whom_and_when
    CHECK ((ended_as IS NULL) = (ended_by IS NULL) AND (ended_as IS NULL) = (ended_at IS NULL)),
    CONSTRAINT ended_proposal_keeps_no_birth CHECK (ended_as IS NULL OR octet_length(sealed) = 0),
    CONSTRAINT proposal_is_confirmed_by_somebody_else CHECK (ended_as <> 'confirmed' OR ended_by <> proposed_by)
);
CREATE UNIQUE INDEX one_open_age_proposal_per_case ON age_proposals (case_id) WHERE ended_as IS NULL;
CREATE INDEX age_proposals_to_decide ON age_proposals (port, proposed_at) WHERE ended_as IS NULL;
CREATE INDEX age_proposals_of_person ON age_proposals (person_id);

-- Whatever writes it: no child becomes an adult without the row that names both people.
CREATE FUNCTION refuse_adult_made_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM arrival_corrections AS c
        WHERE c.case_id = NEW.case_id AND c.version = NEW.version AND c.kind = 'age' AND c.became = NEW.age_band
    ) THEN
        RAISE EXCEPTION 'nobody has confirmed that case % is of age', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'child_becomes_adult_by_two_people';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER child_becomes_adult_by_two_people AFTER UPDATE OF age_band ON arrivals
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (old.age_band IN ('child', 'unknown') AND new.age_band IN ('adult', 'elderly'))
EXECUTE FUNCTION refuse_adult_made_by_one();

CREATE POLICY own_port ON arrival_corrections FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));

CREATE POLICY own_port ON age_proposals FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer')));
CREATE POLICY own_region ON age_proposals FOR SELECT
USING ((SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (regency, left(regency, 2)));
