SET LOCAL lock_timeout = '5s';

-- A voyage can be corrected: when it is expected, by what it comes, what kind of return it is. The voyage is as it is now;
-- the history says what it was, who said so, and why. Its port, what was announced first, by whom and when never change.
ALTER TABLE voyages ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE voyages ADD COLUMN told_on date;
COMMENT ON TABLE voyages IS 'write-once: what a consular letter announced, and was corrected since';
COMMENT ON COLUMN voyages.version IS 'grows with each correction; voyage_corrections has one row for each above 1';
COMMENT ON COLUMN voyages.told_on IS 'the day that ages on its lists are told for, once the time was corrected after one';

CREATE TABLE voyage_corrections (
    voyage_id uuid NOT NULL REFERENCES voyages,
    version integer NOT NULL,
    was_expected_at timestamptz NOT NULL,
    expected_at timestamptz NOT NULL,
    was_vessel text NOT NULL,
    vessel text NOT NULL,
    was_modality text NOT NULL,
    modality text NOT NULL,
    reason text NOT NULL,
    corrected_by text NOT NULL,
    corrected_at timestamptz NOT NULL,
    PRIMARY KEY (voyage_id, version),
    CONSTRAINT voyage_corrections_count_from_the_announcement CHECK (version > 1),
    CONSTRAINT voyage_correction_reason_is_known
    CHECK (reason IN ('rescheduled', 'vessel_changed', 'letter_changed', 'recorded_wrongly')),
    CONSTRAINT voyage_correction_changes_something CHECK (
        (was_expected_at, was_vessel, was_modality) IS DISTINCT FROM (expected_at, vessel, modality)
    )
);
COMMENT ON TABLE voyage_corrections IS 'append-only: what was corrected of a voyage, by whom and why';

CREATE FUNCTION refuse_rewritten_voyage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (new.voyage_id, new.port, new.announced, new.announced_by, new.announced_at)
        IS DISTINCT FROM (old.voyage_id, old.port, old.announced, old.announced_by, old.announced_at)
        OR (old.told_on IS NOT NULL AND new.told_on IS DISTINCT FROM old.told_on)
        OR NOT EXISTS (
            SELECT FROM voyage_corrections AS c
            WHERE c.voyage_id = new.voyage_id AND c.version = new.version AND new.version = old.version + 1
            AND (c.was_expected_at, c.was_vessel, c.was_modality, c.expected_at, c.vessel, c.modality)
            = (old.expected_at, old.vessel, old.modality, new.expected_at, new.vessel, new.modality)
        )
    THEN
        RAISE EXCEPTION 'voyage % is corrected with its history alone', new.voyage_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'voyage_is_corrected_with_its_history';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER voyage_is_corrected_with_its_history AFTER UPDATE ON voyages
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
EXECUTE FUNCTION refuse_rewritten_voyage();

CREATE POLICY of_own_voyage ON voyage_corrections
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = voyage_corrections.voyage_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = voyage_corrections.voyage_id OFFSET 0));
