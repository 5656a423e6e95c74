SET LOCAL lock_timeout = '5s';

-- People who landed together and stay together. Nobody is in two households at a time; who was in one when stays known.
CREATE TABLE households (
    household_id uuid PRIMARY KEY,
    port text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    formed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE households IS 'write-once: people who stay together; the version grows with each who joins or parts';

CREATE TABLE household_members (
    household_id uuid NOT NULL REFERENCES households (household_id),
    case_id uuid NOT NULL,
    port text NOT NULL,
    joined_as text NOT NULL,
    joined_by text NOT NULL,
    joined_at timestamptz NOT NULL,
    parted_for text,
    parted_by text,
    parted_at timestamptz,
    PRIMARY KEY (case_id, joined_at, household_id),
    CONSTRAINT household_is_joined_for_a_reason
    CHECK (joined_as IN ('listed', 'said_by_family', 'guardian_linked')),
    CONSTRAINT household_is_left_for_a_reason
    CHECK (parted_for IN ('said_by_family', 'guardian_linked', 'not_of_it', 'family_parted', 'in_error')),
    CONSTRAINT parting_says_why_by_whom_and_when
    CHECK ((parted_for IS NULL) = (parted_by IS NULL) AND (parted_for IS NULL) = (parted_at IS NULL))
);
CREATE UNIQUE INDEX one_household_at_a_time ON household_members (case_id) WHERE parted_at IS NULL;
CREATE INDEX members_of_household ON household_members (household_id, joined_at);
COMMENT ON TABLE household_members IS 'write-once: who belonged to a household from when until when';

-- An adult who answers for a child. On the name list, or asked for by one person and confirmed by another.
CREATE TABLE guardian_links (
    link_id uuid PRIMARY KEY,
    child_case_id uuid NOT NULL,
    adult_case_id uuid NOT NULL,
    port text NOT NULL,
    relation text NOT NULL,
    proof text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    is_listed boolean NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    confirmed_by text,
    confirmed_at timestamptz,
    ended_for text,
    ended_by text,
    ended_at timestamptz,
    CONSTRAINT guardian_is_somebody_else CHECK (child_case_id <> adult_case_id),
    CONSTRAINT guardian_relation_is_known CHECK (
        relation IN (
            'mother', 'father', 'grandparent', 'sibling', 'aunt_or_uncle', 'legal_guardian', 'other_relative', 'not_stated'
        )
    ),
    CONSTRAINT guardian_proof_is_known
    CHECK (proof IN ('birth_certificate', 'family_card', 'travel_document', 'statement_of_both', 'none')),
    CONSTRAINT guardian_link_state_is_known CHECK (state IN ('proposed', 'confirmed', 'ended')),
    CONSTRAINT guardian_is_confirmed_by_somebody_else CHECK (is_listed OR confirmed_by <> proposed_by),
    CONSTRAINT guardian_answers_once_confirmed CHECK (
        (confirmed_by IS NULL) = (confirmed_at IS NULL) AND (state <> 'confirmed' OR confirmed_by IS NOT NULL)
        AND (state <> 'proposed' OR confirmed_by IS NULL)
    ),
    CONSTRAINT unlinking_says_why_by_whom_and_when CHECK (
        (state = 'ended') = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (ended_by IS NULL)
        AND (ended_at IS NULL) = (ended_for IS NULL)
    ),
    CONSTRAINT unlinking_reason_is_known CHECK (
        ended_for IN (
            'not_related', 'child_at_risk', 'adult_elsewhere', 'statement_withdrawn', 'in_error', 'refused', 'withdrawn'
        )
    )
);
CREATE UNIQUE INDEX one_link_of_child_and_adult ON guardian_links (child_case_id, adult_case_id)
WHERE ended_at IS NULL;
CREATE INDEX guardian_links_of_child ON guardian_links (child_case_id, link_id);
CREATE INDEX guardian_links_of_adult ON guardian_links (adult_case_id, link_id);
CREATE INDEX guardian_links_to_confirm ON guardian_links (port, proposed_at) WHERE state = 'proposed';
COMMENT ON TABLE guardian_links IS 'write-once: which adult answers for which child, from when until when';

-- History is kept: who has parted stays parted, and nothing of how it began is changed.
CREATE FUNCTION refuse_rewritten_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.parted_at IS NOT NULL
        OR (new.household_id, new.case_id, new.port, new.joined_as, new.joined_by, new.joined_at)
        IS DISTINCT FROM (old.household_id, old.case_id, old.port, old.joined_as, old.joined_by, old.joined_at)
    THEN
        RAISE EXCEPTION 'the history of household % is not rewritten', old.household_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_is_not_rewritten';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_is_not_rewritten BEFORE UPDATE ON household_members
FOR EACH ROW EXECUTE FUNCTION refuse_rewritten_membership();

CREATE FUNCTION refuse_rewritten_guardian() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state = 'ended' OR new.version <> old.version + 1 OR new.state = 'proposed'
        OR (old.state = 'confirmed' AND new.state = 'confirmed')
        OR (new.link_id, new.child_case_id, new.adult_case_id, new.port, new.relation, new.proof, new.is_listed, new.proposed_by, new.proposed_at)
        IS DISTINCT FROM (old.link_id, old.child_case_id, old.adult_case_id, old.port, old.relation, old.proof, old.is_listed, old.proposed_by, old.proposed_at)
    THEN
        RAISE EXCEPTION 'the history of link % is not rewritten', old.link_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'guardian_link_is_not_rewritten';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guardian_link_is_not_rewritten BEFORE UPDATE ON guardian_links
FOR EACH ROW EXECUTE FUNCTION refuse_rewritten_guardian();

CREATE POLICY own_port ON households FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));
CREATE POLICY own_port ON household_members FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));
CREATE POLICY own_port ON guardian_links FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));
