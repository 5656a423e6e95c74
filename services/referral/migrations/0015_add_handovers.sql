SET LOCAL lock_timeout = '5s';

-- Minutes of a handover, as they were signed: codes and the number of the paper, on which the names stand. Those of a
-- group share the number.
CREATE TABLE handovers (
    assignment_id uuid NOT NULL,
    number text NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    child boolean NOT NULL,
    handed_by text NOT NULL,
    receiver text NOT NULL,
    witness text NOT NULL,
    place text NOT NULL,
    documents text [] NOT NULL,
    condition text NOT NULL,
    guardian_check text,
    handed_at timestamptz NOT NULL,
    signed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (assignment_id, number),
    CONSTRAINT minutes_have_numbers CHECK (
        number ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'
        AND (guardian_check IS NULL OR guardian_check ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$')
    ),
    CONSTRAINT receiver_is_known CHECK (
        receiver IN ('family', 'guardian', 'village', 'social_ministry', 'agency')
    ),
    CONSTRAINT family_receives_before_local_government CHECK (
        receiver NOT IN ('family', 'guardian') OR witness IN ('village', 'local_government')
    ),
    CONSTRAINT child_goes_to_who_was_checked CHECK (
        NOT child OR receiver IN ('social_ministry', 'agency') OR guardian_check IS NOT NULL
    ),
    CONSTRAINT minutes_are_recorded_once_signed CHECK (handed_at <= signed_at AND signed_at <= recorded_at)
);
COMMENT ON TABLE handovers IS 'append-only: minutes as they were signed';

CREATE POLICY own_agency ON handovers FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);

-- Nobody was handed over whose minutes are not there; looked at only where an attempt ends with such an outcome.
CREATE FUNCTION refuse_handover_without_minutes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM handovers h JOIN referrals r ON r.referral_id = NEW.referral_id AND r.case_id = h.case_id
        WHERE h.assignment_id = NEW.assignment_id AND h.number = NEW.handover_ref
        AND h.child = (r.age_band IN ('child', 'unknown'))
        AND CASE NEW.outcome
            WHEN 'HANDED_TO_FAMILY' THEN h.receiver IN ('family', 'guardian')
            WHEN 'HANDED_TO_SOCIAL_MINISTRY' THEN h.receiver = 'social_ministry'
            ELSE h.receiver IN ('agency', 'village') END
    ) THEN
        RAISE EXCEPTION 'assignment % says % and has no minutes of it', NEW.assignment_id, NEW.outcome
            USING ERRCODE = 'check_violation', CONSTRAINT = 'handover_has_minutes';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER handover_has_minutes AFTER INSERT OR UPDATE ON assignments
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.state = 'completed' AND NEW.outcome LIKE 'HANDED\_TO\_%') EXECUTE FUNCTION refuse_handover_without_minutes();
