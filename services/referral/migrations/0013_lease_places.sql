SET LOCAL lock_timeout = '5s';

-- Places that an office publishes, a row for each sort. `taken` is counted by the trigger below and by nothing else.
CREATE TABLE places (
    agency_id text NOT NULL,
    sex text NOT NULL,
    age_band text NOT NULL,
    accessible boolean NOT NULL,
    place text NOT NULL GENERATED ALWAYS AS (
        sex || '/' || age_band || '/' || CASE WHEN accessible THEN 'accessible' ELSE 'other' END
    ) STORED,
    offered integer NOT NULL,
    taken integer NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (agency_id, place),
    CONSTRAINT place_sex_is_known CHECK (sex IN ('F', 'M', 'any')),
    CONSTRAINT place_age_is_known CHECK (age_band IN ('child', 'adult', 'elderly', 'any')),
    CONSTRAINT places_are_never_given_twice CHECK (taken BETWEEN 0 AND offered),
    CONSTRAINT places_are_published_for_days CHECK (expires_at <= published_at + interval '7 days')
);
CREATE INDEX places_by_expiry ON places (expires_at);

CREATE POLICY own_agency_sees ON places FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_agency_publishes ON places FOR INSERT WITH CHECK (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_agency_changes ON places FOR UPDATE USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY keeper_sees ON places FOR SELECT USING ((SELECT acting_in_role('coordinator')));

-- An attempt that has taken a place holds it until it ends. The count moves in the statement that moves the attempt,
-- so nothing that writes attempts can forget it, and the check above refuses the one too many.
ALTER TABLE assignments ADD COLUMN place text;

CREATE FUNCTION count_taken_places() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_before boolean := TG_OP = 'UPDATE' AND OLD.place IS NOT NULL AND OLD.ended_at IS NULL;
    holds_now boolean := NEW.place IS NOT NULL AND NEW.ended_at IS NULL;
BEGIN
    IF held_before AND holds_now AND (OLD.agency_id, OLD.place) = (NEW.agency_id, NEW.place) THEN
        RETURN NULL;
    END IF;
    IF held_before THEN
        UPDATE places SET taken = taken - 1 WHERE agency_id = OLD.agency_id AND place = OLD.place;
    END IF;
    IF holds_now THEN
        UPDATE places SET taken = taken + 1 WHERE agency_id = NEW.agency_id AND place = NEW.place;
        IF NOT FOUND THEN
            RAISE EXCEPTION '% has published no place %', NEW.agency_id, NEW.place
                USING ERRCODE = 'check_violation', CONSTRAINT = 'place_is_published';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER first_attempt_takes_its_place AFTER INSERT ON assignments
    FOR EACH ROW WHEN (NEW.place IS NOT NULL) EXECUTE FUNCTION count_taken_places();
CREATE TRIGGER attempt_takes_its_place AFTER UPDATE ON assignments
    FOR EACH ROW WHEN (OLD.place IS NOT NULL OR NEW.place IS NOT NULL) EXECUTE FUNCTION count_taken_places();
