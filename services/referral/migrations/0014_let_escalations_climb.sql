SET LOCAL lock_timeout = '5s';

-- Where on the ladder an escalation stands, until when, and who has taken it. What is open by now climbs at once.
ALTER TABLE escalations
ADD COLUMN rung text NOT NULL DEFAULT 'agency_supervisor',
ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(),
ADD COLUMN rung_since timestamptz NOT NULL DEFAULT now(),
ADD COLUMN limit_code text,
ADD COLUMN taken_by text,
ADD COLUMN taken_at timestamptz;
ALTER TABLE escalations ADD CONSTRAINT escalation_rung_is_known
CHECK (rung IN ('agency_supervisor', 'province', 'national')) NOT VALID;
ALTER TABLE escalations ADD CONSTRAINT taken_escalation_says_by_whom
CHECK ((taken_by IS NULL) = (taken_at IS NULL)) NOT VALID;
ALTER TABLE escalations ADD CONSTRAINT passed_limit_is_named
CHECK ((reason = 'legal_limit') = (limit_code IS NOT NULL)) NOT VALID;

-- A need may be past two limits. One index takes the other's place.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX one_open_escalation_per_reason;
CREATE UNIQUE INDEX one_open_escalation_per_reason ON escalations (referral_id, reason, coalesce(limit_code, ''))
WHERE closed_at IS NULL;
CREATE INDEX escalations_of_a_limit ON escalations (referral_id) WHERE limit_code IS NOT NULL;

-- squawk-ignore ban-drop-constraint
ALTER TABLE escalations DROP CONSTRAINT escalation_reason_is_known;
ALTER TABLE escalations ADD CONSTRAINT escalation_reason_is_known CHECK (reason IN ('no_candidate_left',
    'service_overdue', 'person_refused', 'outcome_failed', 'unroutable_child', 'question_unanswered',
    'said_duplicate', 'legal_limit')) NOT VALID;
