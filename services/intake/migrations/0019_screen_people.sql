SET LOCAL lock_timeout = '5s';

-- One talk with a person, in codes. What was answered is sealed under the person's own key.
CREATE TABLE screenings (
    screening_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    questionnaire text NOT NULL,
    sealed bytea NOT NULL,
    proposed text[] NOT NULL,
    added text[] NOT NULL,
    level text NOT NULL,
    score integer NOT NULL,
    decision text NOT NULL,
    reason text,
    place text NOT NULL,
    language text NOT NULL,
    interpreter text NOT NULL,
    alone boolean NOT NULL,
    screened_by text NOT NULL,
    screened_at timestamptz NOT NULL,
    CONSTRAINT screening_level_is_known CHECK (level IN ('indicated', 'possible', 'none')),
    CONSTRAINT screening_decision_is_known
    CHECK (decision IN ('indicated', 'not_indicated', 'assess_further', 'not_asked')),
    CONSTRAINT shown_indicators_are_decided_on CHECK (level = 'none' OR decision <> 'not_asked'),
    CONSTRAINT screening_against_the_indicators_has_a_reason
    CHECK (level <> 'indicated' OR decision = 'indicated' OR reason IS NOT NULL),
    CONSTRAINT screening_interpreter_is_known
    CHECK (interpreter IN ('none', 'officer', 'interpreter', 'relative')),
    CONSTRAINT screening_words_are_short CHECK (char_length(place) <= 80 AND char_length(language) <= 40)
);
CREATE INDEX screenings_of_case ON screenings (case_id, screening_id);
CREATE INDEX screenings_of_person ON screenings (person_id);
CREATE INDEX screenings_to_assess_further ON screenings (port, screening_id) WHERE decision = 'assess_further';
COMMENT ON TABLE screenings IS 'write-once: who was asked, how, and what was decided';
COMMENT ON COLUMN screenings.sealed IS
'the answers, AES-256-GCM under the key of the person; empty once the person was erased';

CREATE FUNCTION screening_loses_its_answers_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF octet_length(new.sealed) = 0 AND to_jsonb(new) - 'sealed' = to_jsonb(old) - 'sealed' THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'screening % stays as it was kept: it can only lose its answers', old.screening_id
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER screening_loses_its_answers_alone BEFORE UPDATE ON screenings
FOR EACH ROW EXECUTE FUNCTION screening_loses_its_answers_alone();

CREATE POLICY own_port ON screenings FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer')));
