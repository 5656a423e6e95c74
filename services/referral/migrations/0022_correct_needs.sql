SET LOCAL lock_timeout = '5s';

-- Why the sender took a request back, or wants the help handed on.
ALTER TABLE assignments ADD COLUMN end_reason text;

-- What was corrected of a person, as the agencies that have the case may know of it.
CREATE TABLE corrections (
    case_id uuid NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    was text,
    became text,
    reason text NOT NULL,
    corrected_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, version),
    CONSTRAINT correction_kind_is_known CHECK (kind IN ('age', 'sex', 'origin')),
    CONSTRAINT correction_changes_something CHECK (was IS DISTINCT FROM became)
);
COMMENT ON TABLE corrections IS 'append-only: what was corrected of a person after the needs were sent, in codes';

-- Where somebody comes from was wrong: the offices of the port, of where they were said to come from, and of where they do
-- come from know of it, one row each (Perban BP2MI 1/2024: the office of the port informs that of the origin).
CREATE TABLE origin_notices (
    agency_id text NOT NULL,
    case_id uuid NOT NULL,
    version integer NOT NULL,
    port text NOT NULL,
    was text,
    became text,
    reason text NOT NULL,
    corrected_at timestamptz NOT NULL,
    PRIMARY KEY (agency_id, case_id, version)
);
CREATE INDEX origin_notices_of_an_office ON origin_notices (agency_id, corrected_at, case_id);
COMMENT ON TABLE origin_notices IS 'append-only: origins that were corrected, for each office that has to know';
CREATE POLICY own_agency ON origin_notices FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);

-- Somebody may turn out to be a child: from then on somebody answers for it, as from the landing.
CREATE CONSTRAINT TRIGGER corrected_child_has_a_responsible_officer AFTER UPDATE OF age_band ON referrals
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (new.age_band IN ('child', 'unknown') AND old.age_band NOT IN ('child', 'unknown'))
EXECUTE FUNCTION refuse_child_without_officer();
-- squawk-ignore ban-drop-constraint
ALTER TABLE responsibilities DROP CONSTRAINT responsibility_reason_is_known;
-- squawk-ignore ban-drop-constraint
ALTER TABLE responsibilities DROP CONSTRAINT responsibility_begins_at_the_landing;
ALTER TABLE responsibilities ADD CONSTRAINT responsibility_reason_is_known
CHECK (reason IN ('arrival', 'duty', 'acceptance', 'takeover', 'correction')) NOT VALID;
ALTER TABLE responsibilities ADD CONSTRAINT responsibility_begins_at_the_landing
CHECK (reason = 'correction' OR (seq = 1) = (reason IN ('arrival', 'duty'))) NOT VALID;

-- Minutes may be older than the finding that somebody is a child: what counts is what is known when the help is completed.
CREATE OR REPLACE FUNCTION refuse_handover_without_minutes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM handovers h JOIN referrals r ON r.referral_id = NEW.referral_id AND r.case_id = h.case_id
        WHERE h.assignment_id = NEW.assignment_id AND h.number = NEW.handover_ref
        AND (
            r.age_band NOT IN ('child', 'unknown') OR h.receiver IN ('social_ministry', 'agency')
            OR h.guardian_check IS NOT NULL
        )
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
