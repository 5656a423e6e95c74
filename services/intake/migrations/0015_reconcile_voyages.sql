SET LOCAL lock_timeout = '5s';

-- What a letter, the minutes of a handover or a count on the quay says of a voyage's heads. No person stands behind
-- these numbers, and nothing makes them fit who was recorded.
CREATE TABLE voyage_totals (
    source_id uuid PRIMARY KEY,
    voyage_id uuid NOT NULL REFERENCES voyages,
    kind text NOT NULL,
    heads integer NOT NULL,
    number text NOT NULL DEFAULT '',
    dated date,
    issued_by text NOT NULL DEFAULT '',
    depot text NOT NULL DEFAULT '',
    parts jsonb NOT NULL DEFAULT '[]',
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    withdrawn_as text,
    withdrawn_by text,
    withdrawn_at timestamptz,
    CONSTRAINT totals_kind_is_known CHECK (kind IN ('letter', 'minutes', 'count')),
    CONSTRAINT totals_are_a_head_count CHECK (heads BETWEEN 0 AND 200000),
    CONSTRAINT totals_words_are_short
    CHECK (char_length(number) <= 80 AND char_length(issued_by) <= 80 AND char_length(depot) <= 80),
    CONSTRAINT totals_are_withdrawn_for_a_known_reason CHECK (withdrawn_as IN ('replaced', 'entered_in_error')),
    CONSTRAINT withdrawn_totals_say_by_whom_when_and_why
    CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_as IS NULL))
);
CREATE INDEX voyage_totals_of_voyage ON voyage_totals (voyage_id, source_id);
COMMENT ON TABLE voyage_totals IS 'head counts of a voyage by source, apart from who was recorded';
COMMENT ON COLUMN voyage_totals.parts IS 'triples of dimension, value and heads';

-- A part of a difference between two counts: with an owner while it is open, with a reason once it is settled.
CREATE TABLE voyage_differences (
    difference_id uuid PRIMARY KEY,
    voyage_id uuid NOT NULL REFERENCES voyages,
    pair text NOT NULL,
    heads integer NOT NULL,
    owner text NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    reason text,
    next_voyage_id uuid REFERENCES voyages,
    settled_by text,
    settled_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT difference_pair_is_known CHECK (
        pair IN ('announced_listed', 'announced_arrived', 'handed_arrived', 'counted_arrived', 'listed_arrived')
    ),
    CONSTRAINT difference_is_of_somebody CHECK (heads <> 0),
    CONSTRAINT difference_reason_is_known CHECK (
        reason IN (
            'pending_case', 'bail', 'illness', 'died', 'stayed_behind', 'rolled_over', 'came_without_notice',
            'on_another_list', 'counted_twice', 'miscounted', 'collected_at_quay'
        )
    ),
    CONSTRAINT only_who_rolls_over_comes_with_another_voyage
    CHECK (next_voyage_id IS NULL OR (reason = 'rolled_over' AND next_voyage_id <> voyage_id)),
    CONSTRAINT settled_difference_says_by_whom_when_and_why
    CHECK ((settled_at IS NULL) = (settled_by IS NULL) AND (settled_at IS NULL) = (reason IS NULL))
);
CREATE INDEX voyage_differences_of_voyage ON voyage_differences (voyage_id, difference_id);
CREATE INDEX voyage_differences_that_are_open ON voyage_differences (difference_id) WHERE settled_at IS NULL;
CREATE INDEX voyage_differences_that_roll_over ON voyage_differences (next_voyage_id) WHERE next_voyage_id IS NOT NULL;
COMMENT ON TABLE voyage_differences IS 'where counts of a voyage differ: who looks after it, and why it is so';

CREATE POLICY of_own_voyage ON voyage_totals
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = voyage_totals.voyage_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = voyage_totals.voyage_id OFFSET 0));

CREATE POLICY of_own_voyage ON voyage_differences
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = voyage_differences.voyage_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = voyage_differences.voyage_id OFFSET 0));

-- What was announced so far is what a letter said.
INSERT INTO voyage_totals (source_id, voyage_id, kind, heads, recorded_by, recorded_at)
SELECT gen_random_uuid(), voyage_id, 'letter', announced, announced_by, announced_at FROM voyages WHERE announced > 0;
COMMENT ON COLUMN voyages.announced IS 'as it was announced first; what counts are the letters in voyage_totals';
