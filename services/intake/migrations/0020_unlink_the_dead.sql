SET LOCAL lock_timeout = '5s';

-- Who has died answers for no child any more.
-- squawk-ignore ban-drop-constraint
ALTER TABLE guardian_links DROP CONSTRAINT unlinking_reason_is_known;
ALTER TABLE guardian_links ADD CONSTRAINT unlinking_reason_is_known CHECK (ended_for IN (
    'not_related', 'child_at_risk', 'adult_elsewhere', 'statement_withdrawn', 'in_error', 'died', 'refused', 'withdrawn'
)) NOT VALID;
