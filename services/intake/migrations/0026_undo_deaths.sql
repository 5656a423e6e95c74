SET LOCAL lock_timeout = '5s';

-- A death that was noted wrongly: that somebody lives, one person says and another confirms.
CREATE TABLE death_doubts (
    doubt_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    port text NOT NULL,
    regency text NOT NULL,
    reason text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    ended_as text,
    ended_by text,
    ended_at timestamptz,
    CONSTRAINT death_doubt_reason_is_known
    CHECK (reason IN ('seen_alive', 'of_another_person', 'recorded_wrongly')),
    CONSTRAINT death_doubt_ends_in_a_known_way
    CHECK (ended_as IN ('confirmed', 'refused', 'withdrawn', 'overtaken')),
    CONSTRAINT ended_doubt_says_by_whom_and_when
    CHECK ((ended_as IS NULL) = (ended_by IS NULL) AND (ended_as IS NULL) = (ended_at IS NULL)),
    CONSTRAINT doubt_is_confirmed_by_somebody_else CHECK (ended_as <> 'confirmed' OR ended_by <> proposed_by)
);
CREATE UNIQUE INDEX one_open_death_doubt_per_case ON death_doubts (case_id) WHERE ended_as IS NULL;
CREATE INDEX death_doubts_to_decide ON death_doubts (port, proposed_at) WHERE ended_as IS NULL;
COMMENT ON TABLE death_doubts IS 'that somebody lives who was noted as dead, and who decided it; in codes';

CREATE POLICY own_port ON death_doubts FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer')));
CREATE POLICY own_region ON death_doubts FOR SELECT
USING ((SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (regency, left(regency, 2)));

-- squawk-ignore ban-drop-constraint
ALTER TABLE arrival_corrections DROP CONSTRAINT arrival_correction_kind_is_known;
ALTER TABLE arrival_corrections
ADD CONSTRAINT arrival_correction_kind_is_known
CHECK (kind IN ('age', 'sex', 'origin', 'needs', 'entered_in_error', 'died', 'death_undone')) NOT VALID,
ADD CONSTRAINT two_people_undo_a_death
CHECK (kind <> 'death_undone' OR (proposed_by IS NOT NULL AND proposed_by <> corrected_by)) NOT VALID;
