SET LOCAL lock_timeout = '5s';

-- By what a case is found again as that of somebody who came before: digests under a key of their own, cut to eight
-- bytes, of what two records of one person are likely to share. Written after the arrival, by intake's clock.
CREATE TABLE match_keys (
    key bigint NOT NULL,
    case_id uuid NOT NULL,
    PRIMARY KEY (key, case_id)
);
CREATE INDEX match_keys_of_case ON match_keys USING brin (case_id) WITH (pages_per_range = 16, autosummarize = on);
COMMENT ON TABLE match_keys IS 'keyed digests by which earlier returns are found; they end with the key of the person';

-- Which cases have their keys and were compared. Nothing else says how far it is.
CREATE TABLE compared_cases (case_id uuid PRIMARY KEY);
COMMENT ON TABLE compared_cases IS 'cases for which earlier returns were looked for';

-- Two cases that may be of one person, the later one first: it is decided at the port where that one landed.
CREATE TABLE possible_matches (
    match_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    earlier_case_id uuid NOT NULL,
    earlier_person_id uuid NOT NULL,
    port text NOT NULL,
    voyage_id uuid,
    strength text NOT NULL,
    bits real NOT NULL,
    levels text[] NOT NULL,
    state text NOT NULL,
    owner text,
    version integer NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT match_is_proposed_once UNIQUE (case_id, earlier_case_id),
    CONSTRAINT match_is_of_two_cases CHECK (case_id <> earlier_case_id),
    CONSTRAINT match_strength_is_known CHECK (strength IN ('strong', 'possible')),
    CONSTRAINT match_state_is_known CHECK (state IN ('open', 'later', 'same', 'different')),
    CONSTRAINT match_for_later_has_an_owner CHECK ((state = 'later') = (owner IS NOT NULL)),
    CONSTRAINT match_decision_says_by_whom_and_when CHECK (
        (decided_by IS NULL) = (decided_at IS NULL) AND (state = 'open' OR decided_by IS NOT NULL)
    )
);
CREATE INDEX possible_matches_to_decide ON possible_matches (port, match_id) WHERE state IN ('open', 'later');
CREATE INDEX possible_matches_of_person ON possible_matches (person_id);
CREATE INDEX possible_matches_of_earlier_person ON possible_matches (earlier_person_id);
COMMENT ON TABLE possible_matches IS 'pairs of cases that may be of one person; they end with the key of either';

CREATE TABLE match_decisions (
    match_id uuid NOT NULL REFERENCES possible_matches ON DELETE CASCADE,
    version integer NOT NULL,
    decision text NOT NULL,
    reason text,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (match_id, version),
    CONSTRAINT match_decision_is_known CHECK (decision IN ('same', 'different', 'later', 'undone')),
    CONSTRAINT undoing_has_a_known_reason CHECK (
        (decision = 'undone') = (reason IS NOT NULL) AND reason IN ('decided_in_error', 'new_proof')
    )
);
COMMENT ON TABLE match_decisions IS 'what was decided of a pair, one after the other; ends with the pair';

-- A port decides on those who landed there; the earlier landing is shown beside, field by field, and nothing else of it.
CREATE POLICY own_port ON possible_matches FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer')));
CREATE POLICY of_own_match ON match_decisions FOR SELECT
USING (EXISTS (SELECT FROM possible_matches AS p WHERE p.match_id = match_decisions.match_id OFFSET 0));

-- With the key goes whatever leads from one case to another.
CREATE FUNCTION forget_matches() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM match_keys USING arrivals, erased
    WHERE arrivals.person_id = erased.person_id AND match_keys.case_id = arrivals.case_id;
    DELETE FROM compared_cases USING arrivals, erased
    WHERE arrivals.person_id = erased.person_id AND compared_cases.case_id = arrivals.case_id;
    DELETE FROM possible_matches USING erased WHERE possible_matches.person_id = erased.person_id;
    DELETE FROM possible_matches USING erased WHERE possible_matches.earlier_person_id = erased.person_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER matches_end_with_the_key AFTER DELETE ON person_keys
REFERENCING OLD TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION forget_matches();
