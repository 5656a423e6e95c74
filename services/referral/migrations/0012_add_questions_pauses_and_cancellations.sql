SET LOCAL lock_timeout = '5s';

-- What an attempt may carry beyond its answer. All empty when it is sent, so that they cost the row nothing.
ALTER TABLE assignments
ADD COLUMN transfer_of uuid,
ADD COLUMN question_id uuid,
ADD COLUMN answer_left interval,
ADD COLUMN disclosed_at timestamptz;
ALTER TABLE assignments ADD CONSTRAINT paused_assignment_has_a_question
CHECK (answer_left IS NULL OR (question_id IS NOT NULL AND state = 'acknowledged')) NOT VALID;

-- One agency is asked at a time, also beside the one that helps and wants to hand the need on. Looked at from the
-- second attempt on, as for ended needs: a first one has no other beside it.
CREATE FUNCTION refuse_second_asked_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (
        SELECT count(*) > 1 FROM assignments a
        WHERE a.referral_id = NEW.referral_id AND a.state IN ('sent', 'delivered', 'acknowledged', 'waitlisted')
    ) THEN
        RAISE EXCEPTION 'referral % is asked of two agencies at once', NEW.referral_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'one_agency_is_asked_at_a_time';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER one_agency_is_asked_at_a_time AFTER INSERT ON assignments
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.attempt > 1) EXECUTE FUNCTION refuse_second_asked_attempt();

-- A need that waits has a day on which it goes on by itself.
ALTER TABLE referrals ADD COLUMN held_until timestamptz;
ALTER TABLE referrals ADD CONSTRAINT held_need_has_an_end
CHECK ((state = 'on_hold') = (held_until IS NOT NULL)) NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX held_referrals ON referrals (held_until) WHERE held_until IS NOT NULL;

-- What agencies ask the port before they decide, and what it says: codes. The row says all that the port is shown, since
-- its officers see neither needs nor attempts here.
CREATE TABLE questions (
    question_id uuid PRIMARY KEY,
    assignment_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    port text NOT NULL,
    restricted boolean NOT NULL,
    code text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    answered_at timestamptz,
    answered_by text,
    answer text,
    closed_at timestamptz,
    CONSTRAINT each_question_once_per_attempt UNIQUE (assignment_id, code),
    CONSTRAINT answered_question_says_what_and_by_whom CHECK (
        (answered_at IS NULL) = (answered_by IS NULL) AND (answered_at IS NULL) = (answer IS NULL)
    )
);
CREATE INDEX questions_of_a_port ON questions (port, due_at, question_id) WHERE answered_at IS NULL AND closed_at IS NULL;

CREATE POLICY own_agency ON questions FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_port ON questions FOR SELECT USING (
    port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer'))
);

-- An agency that has no room for such needs, or does not serve them, is passed over until a moment. Its region is that of
-- who may lift the pause.
CREATE TABLE pauses (
    pause_id uuid PRIMARY KEY,
    agency_id text NOT NULL,
    need text NOT NULL,
    restricted boolean NOT NULL,
    region text,
    reason text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    lifted_at timestamptz,
    lifted_by text,
    CONSTRAINT pause_ends_after_it_began CHECK (until > since),
    CONSTRAINT lifted_pause_says_by_whom CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE UNIQUE INDEX one_pause_per_agency_and_need ON pauses (agency_id, need) WHERE lifted_at IS NULL;

CREATE POLICY own_agency ON pauses FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_region ON pauses FOR SELECT USING (
    (SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (region, left(region, 2))
);

-- Help that the sender ended: the agency says that it knows. Where it does not in time, who oversees `region` does.
CREATE TABLE cancellations (
    assignment_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    region text NOT NULL,
    cancelled_at timestamptz NOT NULL,
    confirm_by timestamptz NOT NULL,
    confirmed_at timestamptz,
    confirmed_by text,
    overdue_told_at timestamptz,
    CONSTRAINT confirmed_cancellation_says_who_and_when CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL))
);
CREATE INDEX cancellations_of_an_agency ON cancellations (agency_id, confirm_by) WHERE confirmed_at IS NULL;
CREATE INDEX cancellations_by_limit ON cancellations (confirm_by) WHERE confirmed_at IS NULL;

CREATE POLICY own_agency_sees ON cancellations FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_agency_confirms ON cancellations FOR UPDATE USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_region_sees ON cancellations FOR SELECT USING (
    (SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (region, left(region, 2))
);
CREATE POLICY own_region_confirms ON cancellations FOR UPDATE USING (
    (SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (region, left(region, 2))
);

-- Two more reasons to come before a supervisor. The wider list takes the narrower one's place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE escalations DROP CONSTRAINT escalation_reason_is_known;
ALTER TABLE escalations ADD CONSTRAINT escalation_reason_is_known CHECK (reason IN ('no_candidate_left',
    'service_overdue', 'person_refused', 'outcome_failed', 'unroutable_child', 'question_unanswered',
    'said_duplicate')) NOT VALID;
