SET LOCAL lock_timeout = '5s';

-- Whether two cases are of one person needs no decision any more once one of them turns out to be none.
-- squawk-ignore ban-drop-constraint
ALTER TABLE possible_matches DROP CONSTRAINT match_state_is_known;
ALTER TABLE possible_matches ADD CONSTRAINT match_state_is_known CHECK (
    state IN ('open', 'later', 'same', 'different', 'ended')
) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE match_decisions DROP CONSTRAINT match_decision_is_known;
ALTER TABLE match_decisions ADD CONSTRAINT match_decision_is_known CHECK (
    decision IN ('same', 'different', 'later', 'undone', 'ended')
) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE match_decisions DROP CONSTRAINT undoing_has_a_known_reason;
ALTER TABLE match_decisions ADD CONSTRAINT undoing_has_a_known_reason CHECK (
    CASE decision
        WHEN 'undone' THEN reason IN ('decided_in_error', 'new_proof') AND reason IS NOT NULL
        WHEN 'ended' THEN reason = 'entered_in_error' AND reason IS NOT NULL
        ELSE reason IS NULL
    END
) NOT VALID;

CREATE INDEX possible_matches_undecided_of_earlier ON possible_matches (earlier_case_id)
WHERE state IN ('open', 'later');
