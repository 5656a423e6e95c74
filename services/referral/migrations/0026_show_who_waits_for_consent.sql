SET LOCAL lock_timeout = '5s';

-- A need that waits for consent, by rules that say so, is before a person too.
-- squawk-ignore ban-drop-constraint
ALTER TABLE escalations DROP CONSTRAINT escalation_reason_is_known;
ALTER TABLE escalations ADD CONSTRAINT escalation_reason_is_known CHECK (reason IN (
    'no_candidate_left', 'service_overdue', 'person_refused', 'outcome_failed', 'unroutable_child',
    'question_unanswered', 'said_duplicate', 'legal_limit', 'consent_awaited'
)) NOT VALID;
