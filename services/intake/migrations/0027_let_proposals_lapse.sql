SET LOCAL lock_timeout = '5s';

-- What waits for a second person ends by itself when nobody confirms it.
-- squawk-ignore ban-drop-constraint
ALTER TABLE age_proposals DROP CONSTRAINT proposal_ends_in_a_known_way;
ALTER TABLE age_proposals ADD CONSTRAINT proposal_ends_in_a_known_way
CHECK (ended_as IN ('confirmed', 'refused', 'withdrawn', 'overtaken', 'erased', 'expired')) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE guardian_links DROP CONSTRAINT unlinking_reason_is_known;
ALTER TABLE guardian_links ADD CONSTRAINT unlinking_reason_is_known CHECK (ended_for IN (
    'not_related', 'child_at_risk', 'adult_elsewhere', 'statement_withdrawn', 'in_error', 'died', 'refused', 'withdrawn',
    'expired'
)) NOT VALID;
