SET LOCAL lock_timeout = '5s';

-- The directory: which office of which kind serves which region. Kept by people; `changed_at` moves with each change,
-- so that a process sees that its snapshot is old.
CREATE TABLE agencies (
    agency_id text PRIMARY KEY,
    kind text NOT NULL,
    level text NOT NULL,
    region text,
    name text NOT NULL,
    zone text NOT NULL,
    takes_referrals boolean NOT NULL DEFAULT TRUE,
    suspended_at timestamptz,
    changed_at timestamptz NOT NULL,
    CONSTRAINT agency_level_is_known CHECK (level IN ('regency', 'province', 'national')),
    CONSTRAINT agency_region_fits_its_level CHECK (CASE level
        WHEN 'regency' THEN region ~ '^[0-9]{2}\.[0-9]{2}$'
        WHEN 'province' THEN region ~ '^[0-9]{2}$'
        ELSE region IS NULL END),
    CONSTRAINT agency_is_named_for_kind_and_region CHECK (agency_id = kind || coalesce('-' || region, ''))
);
CREATE INDEX agencies_by_change ON agencies (changed_at);

-- Why a referral went where it went: rule version, facts, every candidate with the clauses it passed and failed.
-- Addressed by the SHA-256 of the body, so the same decision is stored once.
CREATE TABLE explanations (
    digest bytea PRIMARY KEY,
    rules_version text NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT explanation_is_addressed_by_its_content CHECK (digest = sha256(body))
);
COMMENT ON TABLE explanations IS 'append-only: routing decisions, by digest';

-- A need of one person. The coded facts are a snapshot of the arrival as it was referred.
CREATE TABLE referrals (
    referral_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    need text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    restricted boolean NOT NULL,
    regency text NOT NULL,
    port text NOT NULL,
    sex text NOT NULL,
    age_band text NOT NULL,
    onward_wish text NOT NULL,
    arrived_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    explanation bytea NOT NULL,
    outcome text,
    ended_at timestamptz,
    closed_by text,
    CONSTRAINT one_referral_per_need_of_a_case UNIQUE (case_id, need),
    CONSTRAINT referral_state_is_known CHECK (state IN ('draft', 'awaiting_consent', 'open', 'unroutable', 'on_hold',
        'fulfilled', 'unfulfilled', 'refused', 'consent_withdrawn', 'cancelled', 'entered_in_error')),
    CONSTRAINT terminal_referral_has_end CHECK ((ended_at IS NOT NULL) = (state IN ('fulfilled', 'unfulfilled',
        'refused', 'consent_withdrawn', 'cancelled', 'entered_in_error'))),
    CONSTRAINT closed_need_has_outcome CHECK (state NOT IN ('fulfilled', 'unfulfilled') OR outcome IS NOT NULL),
    CONSTRAINT child_is_given_up_by_an_officer_only CHECK (
        state <> 'unfulfilled' OR age_band NOT IN ('child', 'unknown') OR closed_by IS NOT NULL)
);

-- One attempt at one agency. `due_at` is the deadline that runs now: for the answer, then for the service.
CREATE TABLE assignments (
    assignment_id uuid PRIMARY KEY,
    referral_id uuid NOT NULL,
    attempt integer NOT NULL,
    agency_id text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    service_hours integer NOT NULL,
    sent_at timestamptz NOT NULL,
    answer_due_at timestamptz NOT NULL,
    service_due_at timestamptz,
    due_at timestamptz GENERATED ALWAYS AS (CASE
        WHEN state IN ('sent', 'delivered', 'acknowledged', 'waitlisted') THEN answer_due_at
        WHEN state IN ('accepted', 'in_progress') THEN service_due_at END) STORED,
    acknowledged_at timestamptz,
    answered_at timestamptz,
    answered_by text,
    started_at timestamptz,
    ended_at timestamptz,
    decline_reason text,
    decline_side text,
    outcome text,
    handover_ref text,
    overdue_told_at timestamptz,
    CONSTRAINT attempts_are_numbered_once UNIQUE (referral_id, attempt),
    CONSTRAINT attempts_count_from_one CHECK (attempt >= 1),
    CONSTRAINT assignment_state_is_known CHECK (state IN ('proposed', 'sent', 'delivered', 'acknowledged', 'waitlisted',
        'accepted', 'in_progress', 'completed', 'declined', 'expired', 'recalled', 'cancelled_by_sender', 'failed',
        'transferred', 'entered_in_error')),
    CONSTRAINT ended_assignment_has_end CHECK ((ended_at IS NULL) = (state IN ('proposed', 'sent', 'delivered',
        'acknowledged', 'waitlisted', 'accepted', 'in_progress'))),
    CONSTRAINT answered_assignment_says_who_and_when CHECK (state NOT IN ('accepted', 'in_progress', 'completed',
        'declined', 'failed', 'transferred', 'cancelled_by_sender')
        OR (answered_by IS NOT NULL AND answered_at IS NOT NULL)),
    CONSTRAINT accepted_assignment_has_service_deadline CHECK (state NOT IN ('accepted', 'in_progress')
        OR service_due_at IS NOT NULL),
    CONSTRAINT declined_assignment_has_reason_and_side CHECK ((state = 'declined') =
        (decline_reason IS NOT NULL AND decline_side IN ('PERSON', 'AGENCY'))),
    CONSTRAINT ended_service_has_outcome CHECK ((state IN ('completed', 'failed')) = (outcome IS NOT NULL)),
    CONSTRAINT handover_has_a_reference CHECK (outcome NOT LIKE 'HANDED\_TO\_%' OR handover_ref IS NOT NULL),
    CONSTRAINT handover_reference_is_a_reference CHECK (handover_ref ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$')
);
-- No foreign keys here: both rows of an attempt are written by one statement, and per-row checks would be the
-- dearest part of the busiest statement. tests/referral proves that no attempt is without its referral.
CREATE UNIQUE INDEX one_accepted_assignment_per_referral ON assignments (referral_id)
    WHERE state IN ('accepted', 'in_progress');
CREATE INDEX assignments_of_an_inbox ON assignments (agency_id, due_at, assignment_id) WHERE due_at IS NOT NULL;
CREATE INDEX assignments_done ON assignments (agency_id, ended_at, assignment_id) WHERE ended_at IS NOT NULL;
CREATE INDEX assignments_by_deadline ON assignments (due_at) WHERE due_at IS NOT NULL AND overdue_told_at IS NULL;

-- A need that nobody in the directory can serve there.
CREATE TABLE gaps (
    gap_id uuid PRIMARY KEY,
    referral_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    -- The state of the directory that had nobody: its last change when this was decided.
    directory_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE UNIQUE INDEX one_open_gap_per_referral ON gaps (referral_id) WHERE closed_at IS NULL;
CREATE INDEX open_gaps_by_directory ON gaps (directory_at) WHERE closed_at IS NULL;

-- Where a person has to act, and did.
CREATE TABLE escalations (
    escalation_id uuid PRIMARY KEY,
    referral_id uuid NOT NULL,
    assignment_id uuid,
    reason text NOT NULL,
    supervisor text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT escalation_reason_is_known CHECK (reason IN ('no_candidate_left', 'service_overdue', 'person_refused',
        'outcome_failed'))
);
CREATE UNIQUE INDEX one_open_escalation_per_reason ON escalations (referral_id, reason) WHERE closed_at IS NULL;

-- A need that has ended has no live attempt: checked when the transaction ends, so that both may change in it.
CREATE FUNCTION refuse_live_attempt_of_ended_referral() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM referrals r JOIN assignments a USING (referral_id)
        WHERE r.referral_id = NEW.referral_id AND r.ended_at IS NOT NULL AND a.ended_at IS NULL
    ) THEN
        RAISE EXCEPTION 'referral % has ended and has a live attempt', NEW.referral_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ended_referral_has_no_live_attempt';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ended_referral_has_no_live_attempt AFTER UPDATE ON referrals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION refuse_live_attempt_of_ended_referral();
-- First attempts are written together with their referral, which is open then.
CREATE CONSTRAINT TRIGGER live_attempt_has_no_ended_referral AFTER INSERT ON assignments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.attempt > 1)
    EXECUTE FUNCTION refuse_live_attempt_of_ended_referral();
