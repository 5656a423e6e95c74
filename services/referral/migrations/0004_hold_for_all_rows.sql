SET LOCAL lock_timeout = '5s';

-- In a transaction of its own, so that nobody waits for the reading of the whole table.
ALTER TABLE escalations VALIDATE CONSTRAINT escalation_reason_is_known;
ALTER TABLE referrals VALIDATE CONSTRAINT child_does_not_depend_on_consent;
ALTER TABLE referrals VALIDATE CONSTRAINT closed_need_says_why_and_by_whom;
