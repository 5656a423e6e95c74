SET LOCAL lock_timeout = '5s';

-- Which household a case belongs to now, as intake says; the history of it is intake's.
CREATE TABLE households (
    case_id uuid PRIMARY KEY,
    household_id uuid NOT NULL
);
CREATE INDEX households_by_id ON households (household_id, case_id);

-- A member of a household who is helped, or asked for, elsewhere than where its strictest need is. Somebody has to bring
-- them together, or to say by name why not.
CREATE TABLE reunifications (
    task_id uuid PRIMARY KEY,
    household_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    apart_from text NOT NULL,
    regency text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    rung text NOT NULL,
    due_at timestamptz NOT NULL,
    closed_as text,
    decision text,
    closed_by text,
    closed_at timestamptz,
    CONSTRAINT split_has_a_reason CHECK (
        reason IN (
            'declined', 'not_answered', 'not_helped', 'taken_back', 'handed_on', 'helped_before', 'not_taken_together',
            'medical_care', 'safety', 'persons_wish', 'no_room_together'
        )
    ),
    CONSTRAINT reunification_rung_is_known CHECK (rung IN ('agency_supervisor', 'province', 'national')),
    CONSTRAINT reunification_ends_in_a_known_way CHECK (closed_as IN ('reunited', 'parted', 'decided')),
    CONSTRAINT reunification_decision_is_known CHECK (
        decision IN ('persons_wish', 'safety', 'medical_care', 'reunited_by_people', 'no_family')
    ),
    CONSTRAINT ended_reunification_says_how_and_when CHECK ((closed_as IS NULL) = (closed_at IS NULL)),
    CONSTRAINT staying_apart_is_decided_by_name CHECK (
        (closed_as IS NOT DISTINCT FROM 'decided') = (decision IS NOT NULL)
        AND (decision IS NULL) = (closed_by IS NULL)
    )
);
CREATE UNIQUE INDEX one_open_reunification_per_case ON reunifications (case_id) WHERE closed_at IS NULL;
CREATE INDEX reunifications_of_household ON reunifications (household_id, case_id, opened_at);
CREATE INDEX reunifications_to_bring_together ON reunifications (regency, due_at) WHERE closed_at IS NULL;
CREATE INDEX reunifications_due ON reunifications (due_at) WHERE closed_at IS NULL;

CREATE POLICY own_region ON reunifications FOR SELECT USING (
    (SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (regency, left(regency, 2))
);
