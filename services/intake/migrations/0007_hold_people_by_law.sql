SET LOCAL lock_timeout = '5s';

-- While one of these stands, nobody erases the person. Each is lifted by itself.
CREATE TABLE legal_holds (
    hold_id uuid PRIMARY KEY,
    person_id uuid NOT NULL,
    case_id uuid NOT NULL,
    reason text NOT NULL,
    reference text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL,
    lifted_by text,
    lifted_at timestamptz,
    lift_reason text,
    CONSTRAINT hold_reason_is_known CHECK (reason IN ('court', 'investigation', 'claim', 'inspection')),
    CONSTRAINT hold_reference_is_short CHECK (char_length(reference) BETWEEN 1 AND 40),
    CONSTRAINT hold_is_lifted_for_a_known_reason CHECK (lift_reason IN ('hold_ended', 'placed_in_error')),
    CONSTRAINT lifted_hold_says_by_whom_when_and_why
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL))
);
CREATE INDEX legal_holds_of_person ON legal_holds (person_id);
COMMENT ON TABLE legal_holds IS 'what must be kept for a court, an investigation, a claim or an inspection; service only';
