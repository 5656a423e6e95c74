SET LOCAL lock_timeout = '5s';

-- A child that nobody serves is put before a supervisor at once. The wider list takes the narrower one's place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE escalations DROP CONSTRAINT escalation_reason_is_known;
ALTER TABLE escalations ADD CONSTRAINT escalation_reason_is_known CHECK (reason IN ('no_candidate_left',
    'service_overdue', 'person_refused', 'outcome_failed', 'unroutable_child')) NOT VALID;

-- Help for a child rests on its best interest: consent is neither asked for nor, withdrawn, a reason to stop.
ALTER TABLE referrals ADD CONSTRAINT child_does_not_depend_on_consent CHECK (
    state NOT IN ('awaiting_consent', 'refused', 'consent_withdrawn') OR age_band NOT IN ('child', 'unknown'))
    NOT VALID;

-- Nobody's need is closed unmet without a reason and somebody who answers for it.
ALTER TABLE referrals ADD CONSTRAINT closed_need_says_why_and_by_whom CHECK (
    state NOT IN ('unfulfilled', 'cancelled', 'entered_in_error') OR (outcome IS NOT NULL AND closed_by IS NOT NULL))
    NOT VALID;
