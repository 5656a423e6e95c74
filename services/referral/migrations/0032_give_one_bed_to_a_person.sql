SET LOCAL lock_timeout = '5s';

-- Who sleeps where: a person has one bed at an office, however many needs of the person are with that office, and has it
-- until the last of these attempts ends. Only the trigger below writes here.
CREATE TABLE beds (
    agency_id text NOT NULL,
    case_id uuid NOT NULL,
    place text NOT NULL,
    attempts integer NOT NULL,
    PRIMARY KEY (agency_id, case_id),
    CONSTRAINT bed_is_somebodys CHECK (attempts >= 0)
);

INSERT INTO beds (agency_id, case_id, place, attempts)
SELECT a.agency_id, r.case_id, max(a.place), count(*) FROM assignments a JOIN referrals r USING (referral_id)
WHERE a.place IS NOT NULL AND a.ended_at IS NULL GROUP BY a.agency_id, r.case_id;
UPDATE places p SET taken = (
    SELECT count(*) FROM beds b WHERE b.agency_id = p.agency_id AND b.place = p.place
);

-- Who needs another sort of place later moves into it, and the one before is free.
CREATE OR REPLACE FUNCTION count_taken_places() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_before boolean := TG_OP = 'UPDATE' AND OLD.place IS NOT NULL AND OLD.ended_at IS NULL;
    holds_now boolean := NEW.place IS NOT NULL AND NEW.ended_at IS NULL;
    person uuid;
    bed beds%ROWTYPE;
BEGIN
    IF held_before = holds_now AND (NOT holds_now OR (OLD.agency_id, OLD.place) = (NEW.agency_id, NEW.place)) THEN
        RETURN NULL;
    END IF;
    SELECT case_id INTO STRICT person FROM referrals WHERE referral_id = NEW.referral_id;
    IF held_before THEN
        UPDATE beds SET attempts = attempts - 1 WHERE agency_id = OLD.agency_id AND case_id = person
        RETURNING * INTO STRICT bed;
        IF bed.attempts = 0 THEN
            DELETE FROM beds WHERE agency_id = OLD.agency_id AND case_id = person;
            UPDATE places SET taken = taken - 1 WHERE agency_id = OLD.agency_id AND place = bed.place;
        END IF;
    END IF;
    IF holds_now THEN
        INSERT INTO beds (agency_id, case_id, place, attempts) VALUES (NEW.agency_id, person, NEW.place, 0)
        ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT bed FROM beds WHERE agency_id = NEW.agency_id AND case_id = person FOR UPDATE;
        UPDATE beds SET attempts = attempts + 1, place = NEW.place
        WHERE agency_id = NEW.agency_id AND case_id = person;
        IF bed.attempts > 0 AND bed.place <> NEW.place THEN
            UPDATE places SET taken = taken - 1 WHERE agency_id = NEW.agency_id AND place = bed.place;
        END IF;
        IF bed.attempts = 0 OR bed.place <> NEW.place THEN
            UPDATE places SET taken = taken + 1 WHERE agency_id = NEW.agency_id AND place = NEW.place;
            IF NOT FOUND THEN
                RAISE EXCEPTION '% has published no place %', NEW.agency_id, NEW.place
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'place_is_published';
            END IF;
        END IF;
    END IF;
    RETURN NULL;
END $$;
