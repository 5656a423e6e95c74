SET LOCAL lock_timeout = '5s';

-- Who of a list was called on the quay: here, or absent and why. The latest version of a row counts. No name stands
-- here, and it stays when the list is gone.
CREATE TABLE roll_calls (
    draft_id uuid NOT NULL REFERENCES drafts,
    upload integer NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL,
    voyage_id uuid NOT NULL REFERENCES voyages,
    mark text NOT NULL,
    reason text,
    next_voyage_id uuid REFERENCES voyages,
    sex text,
    age_band text,
    origin_regency text,
    called_by text NOT NULL,
    called_at timestamptz NOT NULL,
    PRIMARY KEY (draft_id, upload, row_number, version),
    CONSTRAINT roll_call_mark_is_known CHECK (mark IN ('here', 'absent', 'open')),
    CONSTRAINT roll_call_counts_from_one CHECK (version >= 1 AND upload >= 1 AND row_number >= 1),
    CONSTRAINT roll_call_reason_is_known CHECK (
        reason IN (
            'not_boarded', 'pending_case', 'documents_held', 'ill_abroad', 'rolled_over', 'died_on_the_way', 'other',
            'unknown'
        )
    ),
    CONSTRAINT who_is_absent_has_a_reason CHECK ((mark = 'absent') = (reason IS NOT NULL)),
    CONSTRAINT only_who_rolls_over_comes_later
    CHECK (next_voyage_id IS NULL OR (reason = 'rolled_over' AND next_voyage_id <> voyage_id)),
    CONSTRAINT called_sex_is_known CHECK (sex IN ('F', 'M', 'X')),
    CONSTRAINT called_age_band_is_known CHECK (age_band IN ('child', 'adult', 'elderly', 'unknown'))
);
COMMENT ON TABLE roll_calls IS 'append-only: who of a list was called as here or absent, in codes';
COMMENT ON COLUMN roll_calls.upload IS 'the file whose rows are numbered so; a corrected one takes the calls over';

CREATE POLICY of_own_voyage ON roll_calls
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = roll_calls.voyage_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = roll_calls.voyage_id OFFSET 0));

-- Who was recorded by a list and was not there after all: the arrival is entered in error, and the person absent.
CREATE TABLE absent_arrivals (
    case_id uuid PRIMARY KEY REFERENCES arrivals,
    voyage_id uuid NOT NULL REFERENCES voyages,
    reason text NOT NULL,
    next_voyage_id uuid REFERENCES voyages,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    CONSTRAINT absent_arrival_reason_is_known CHECK (
        reason IN (
            'not_boarded', 'pending_case', 'documents_held', 'ill_abroad', 'rolled_over', 'other', 'unknown'
        )
    ),
    CONSTRAINT only_who_rolls_over_comes_later
    CHECK (next_voyage_id IS NULL OR (reason = 'rolled_over' AND next_voyage_id <> voyage_id))
);
COMMENT ON TABLE absent_arrivals IS 'append-only: why somebody was not there whom a list had recorded, in codes';

CREATE POLICY of_own_voyage ON absent_arrivals
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = absent_arrivals.voyage_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = absent_arrivals.voyage_id OFFSET 0));

-- A row of a draft may be somebody who is absent, and a draft may be people who come over from another voyage.
ALTER TABLE drafts ADD COLUMN absent integer NOT NULL DEFAULT 0;
-- squawk-ignore ban-drop-constraint
ALTER TABLE drafts DROP CONSTRAINT draft_counts_add_up;
ALTER TABLE drafts ADD CONSTRAINT draft_counts_add_up
CHECK (lines = ready + mend + twice + known + empty + left_out + absent) NOT VALID;
ALTER TABLE drafts ADD CONSTRAINT draft_absent_is_not_negative CHECK (absent >= 0) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE drafts DROP CONSTRAINT draft_form_is_known;
ALTER TABLE drafts ADD CONSTRAINT draft_form_is_known CHECK (form IN ('csv', 'xlsx', 'paste', 'carried')) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE draft_blocks DROP CONSTRAINT draft_standings_are_known;
ALTER TABLE draft_blocks ADD CONSTRAINT draft_standings_are_known CHECK (standings ~ '^[rmtkeoa]+$') NOT VALID;

-- Which draft a list was taken in from, so that its held rows know how their people were called.
ALTER TABLE manifests ADD COLUMN draft_id uuid;
ALTER TABLE manifests ADD COLUMN upload integer;
ALTER TABLE manifests ADD CONSTRAINT manifests_draft_id_fkey FOREIGN KEY (draft_id) REFERENCES drafts NOT VALID;
ALTER TABLE manifests ADD CONSTRAINT manifest_of_a_draft_says_of_which_file
CHECK ((draft_id IS NULL) = (upload IS NULL)) NOT VALID;
