SET LOCAL lock_timeout = '5s';

-- Somebody says that a field of an identity is wrong. What it is to become is sealed under the person's own key, and
-- emptied when it was decided or the person is erased.
CREATE TABLE corrections (
    correction_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    field text NOT NULL,
    sealed bytea NOT NULL,
    reference text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    decide_by timestamptz NOT NULL,
    decision text,
    reason text,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT correction_reference_is_short CHECK (char_length(reference) BETWEEN 1 AND 40),
    CONSTRAINT correction_decision_is_known CHECK (decision IN ('accepted', 'rejected', 'erased')),
    CONSTRAINT rejection_has_a_known_reason CHECK (
        (decision IS NOT DISTINCT FROM 'rejected') = (reason IS NOT NULL)
        AND reason IN ('no_proof', 'not_this_person', 'already_so', 'withdrawn')
    ),
    CONSTRAINT decided_correction_says_by_whom_and_when
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
    CONSTRAINT decided_correction_keeps_no_value CHECK (decision IS NULL OR octet_length(sealed) = 0)
);
CREATE INDEX corrections_of_person ON corrections (person_id);
CREATE INDEX corrections_to_decide ON corrections (decide_by, correction_id) WHERE decision IS NULL;
