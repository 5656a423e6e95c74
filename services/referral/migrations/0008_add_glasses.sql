SET LOCAL lock_timeout = '5s';

-- Cases opened in an emergency to somebody outside the case team; each is judged by somebody else.
CREATE TABLE glasses (
    glass_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    region text NOT NULL,
    matter text NOT NULL,
    reason text NOT NULL,
    reference text NOT NULL,
    broken_by text NOT NULL,
    broken_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    told text NOT NULL,
    review_by timestamptz NOT NULL,
    reviewed_at timestamptz,
    reviewed_by text,
    decision text,
    overdue_told_at timestamptz,
    CONSTRAINT glass_matter_is_known CHECK (matter IN ('help', 'custody')),
    CONSTRAINT glass_reason_is_known CHECK (
        reason IN ('danger_to_life', 'child_at_risk', 'agency_silent', 'lawful_order')
    ),
    CONSTRAINT glass_reference_is_a_reference CHECK (reference ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'),
    CONSTRAINT glass_is_open_for_hours CHECK (
        expires_at > broken_at AND expires_at <= broken_at + interval '4 hours'
    ),
    CONSTRAINT glass_decision_is_known CHECK (decision IN ('justified', 'not_justified')),
    CONSTRAINT reviewed_glass_says_who_and_what CHECK (
        (reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (decision IS NULL)
    ),
    CONSTRAINT glass_is_judged_by_another CHECK (reviewed_by <> broken_by)
);
COMMENT ON TABLE glasses IS 'write-once: opened once, judged once';
CREATE INDEX glasses_of_a_person ON glasses (broken_by, expires_at);
CREATE INDEX glasses_to_review ON glasses (review_by) WHERE reviewed_at IS NULL;

CREATE POLICY own ON glasses FOR SELECT USING (broken_by = (SELECT acting_id()));
CREATE POLICY own_region ON glasses USING (
    (SELECT acting_in_role('agency_supervisor')) AND told <> 'data_protection_officer'
    AND left(region, 2) = left((SELECT acting_region()), 2) AND (SELECT acting_region()) IN (region, left(region, 2))
);
CREATE POLICY protection_officer ON glasses USING ((SELECT acting_in_role('data_protection_officer')));
