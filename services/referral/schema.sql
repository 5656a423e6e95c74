-- Generated from the migrations by `make schema`; do not edit.

CREATE TABLE agencies (
    agency_id text NOT NULL,
    kind text NOT NULL,
    level text NOT NULL,
    region text,
    name text NOT NULL,
    zone text NOT NULL,
    takes_referrals boolean NOT NULL DEFAULT true,
    suspended_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    needs text[],
    sexes text[],
    min_age integer,
    max_age integer,
    serves text[],
    languages text[],
    accessibility text[],
    with_children boolean,
    hours text,
    keeps_holidays boolean NOT NULL DEFAULT true,
    phone text,
    email text,
    supervised_by text,
    active_from date,
    active_until date,
    reserved text[] NOT NULL DEFAULT '{}'::text[],
    version integer NOT NULL DEFAULT 1,
    confirmed_at timestamp with time zone,
    CONSTRAINT agencies_pkey PRIMARY KEY (agency_id),
    CONSTRAINT agency_supervisor_is_an_agency FOREIGN KEY (supervised_by) REFERENCES agencies(agency_id) NOT VALID,
    CONSTRAINT agency_ages_are_a_range CHECK ((((min_age >= 0) AND (min_age <= 120)) AND ((max_age >= 0) AND (max_age <= 120)) AND (min_age <= max_age))) NOT VALID,
    CONSTRAINT agency_is_active_for_a_time CHECK ((active_from <= active_until)) NOT VALID,
    CONSTRAINT agency_is_named_for_kind_and_region CHECK ((agency_id = (kind || COALESCE(('-'::text || region), ''::text)))),
    CONSTRAINT agency_is_not_its_own_supervisor CHECK ((supervised_by <> agency_id)) NOT VALID,
    CONSTRAINT agency_level_is_known CHECK ((level = ANY (ARRAY['regency'::text, 'province'::text, 'national'::text]))),
    CONSTRAINT agency_needs_are_some CHECK ((cardinality(needs) > 0)) NOT VALID,
    CONSTRAINT agency_region_fits_its_level CHECK (
CASE level
    WHEN 'regency'::text THEN (region ~ '^[0-9]{2}\.[0-9]{2}$'::text)
    WHEN 'province'::text THEN (region ~ '^[0-9]{2}$'::text)
    ELSE (region IS NULL)
END),
    CONSTRAINT agency_serves_somewhere CHECK ((cardinality(serves) > 0)) NOT VALID,
    CONSTRAINT agency_sexes_are_known CHECK (((sexes <@ ARRAY['F'::text, 'M'::text]) AND (cardinality(sexes) > 0))) NOT VALID
);
CREATE INDEX agencies_by_change ON agencies USING btree (changed_at);
CREATE INDEX agencies_with_a_period ON agencies USING btree (agency_id) WHERE ((active_from IS NOT NULL) OR (active_until IS NOT NULL));
ALTER TABLE agencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE agencies FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON agencies FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text, 'coordinator'::text, 'operator'::text, 'auditor'::text, 'service'::text, 'port_officer'::text, 'port_system'::text, 'ngo_member'::text, 'ngo_system'::text, 'data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY keeper_adds ON agencies FOR INSERT TO PUBLIC WITH CHECK (( SELECT acting_in_role(VARIADIC ARRAY['coordinator'::text]) AS acting_in_role));
CREATE POLICY keeper_changes ON agencies FOR UPDATE TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['coordinator'::text]) AS acting_in_role));
CREATE POLICY own_agency_changes ON agencies FOR UPDATE TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON agencies FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: each entry of the directory after each change
CREATE TABLE agency_versions (
    agency_id text NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    change text NOT NULL,
    fields text[] NOT NULL,
    by_role text NOT NULL,
    entry jsonb NOT NULL,
    CONSTRAINT agency_versions_pkey PRIMARY KEY (agency_id, version),
    CONSTRAINT agency_change_is_known CHECK ((change = ANY (ARRAY['added'::text, 'changed'::text, 'suspended'::text, 'resumed'::text, 'confirmed'::text]))),
    CONSTRAINT agency_versions_count_from_one CHECK ((version >= 1))
);
CREATE INDEX agency_versions_by_time ON agency_versions USING btree (changed_at);
ALTER TABLE agency_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE agency_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY keeper_adds ON agency_versions FOR INSERT TO PUBLIC WITH CHECK (( SELECT acting_in_role(VARIADIC ARRAY['coordinator'::text]) AS acting_in_role));
CREATE POLICY keeper_sees ON agency_versions FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['coordinator'::text]) AS acting_in_role));
CREATE POLICY own_agency_adds ON agency_versions FOR INSERT TO PUBLIC WITH CHECK (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role)));
CREATE POLICY own_agency_sees ON agency_versions FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON agency_versions FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: the first answer to each keyed write
CREATE TABLE answers (
    actor text NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    status smallint NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT answers_pkey PRIMARY KEY (actor, key)
);
ALTER TABLE answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE answers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_answers ON answers FOR ALL TO PUBLIC USING ((actor = ( SELECT acting_id() AS acting_id))) WITH CHECK ((actor = ( SELECT acting_id() AS acting_id)));
CREATE POLICY service_itself ON answers FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE assignments (
    assignment_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    attempt integer NOT NULL,
    agency_id text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    service_hours integer NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    answer_due_at timestamp with time zone NOT NULL,
    service_due_at timestamp with time zone,
    due_at timestamp with time zone DEFAULT 
CASE
    WHEN (state = ANY (ARRAY['sent'::text, 'delivered'::text, 'acknowledged'::text, 'waitlisted'::text])) THEN answer_due_at
    WHEN (state = ANY (ARRAY['accepted'::text, 'in_progress'::text])) THEN service_due_at
    ELSE NULL::timestamp with time zone
END,
    acknowledged_at timestamp with time zone,
    answered_at timestamp with time zone,
    answered_by text,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    decline_reason text,
    decline_side text,
    outcome text,
    handover_ref text,
    overdue_told_at timestamp with time zone,
    transfer_of uuid,
    question_id uuid,
    answer_left interval,
    disclosed_at timestamp with time zone,
    place text,
    remind_at timestamp with time zone,
    reminded_at timestamp with time zone,
    end_reason text,
    CONSTRAINT assignments_pkey PRIMARY KEY (assignment_id),
    CONSTRAINT attempts_are_numbered_once UNIQUE (referral_id, attempt),
    CONSTRAINT accepted_assignment_has_service_deadline CHECK (((state <> ALL (ARRAY['accepted'::text, 'in_progress'::text])) OR (service_due_at IS NOT NULL))),
    CONSTRAINT answered_assignment_says_who_and_when CHECK (((state <> ALL (ARRAY['accepted'::text, 'in_progress'::text, 'completed'::text, 'declined'::text, 'failed'::text, 'transferred'::text, 'cancelled_by_sender'::text])) OR ((answered_by IS NOT NULL) AND (answered_at IS NOT NULL)))),
    CONSTRAINT assignment_state_is_known CHECK ((state = ANY (ARRAY['proposed'::text, 'sent'::text, 'delivered'::text, 'acknowledged'::text, 'waitlisted'::text, 'accepted'::text, 'in_progress'::text, 'completed'::text, 'declined'::text, 'expired'::text, 'recalled'::text, 'cancelled_by_sender'::text, 'failed'::text, 'transferred'::text, 'entered_in_error'::text]))),
    CONSTRAINT attempts_count_from_one CHECK ((attempt >= 1)),
    CONSTRAINT declined_assignment_has_reason_and_side CHECK (((state = 'declined'::text) = ((decline_reason IS NOT NULL) AND (decline_side = ANY (ARRAY['PERSON'::text, 'AGENCY'::text]))))),
    CONSTRAINT ended_assignment_has_end CHECK (((ended_at IS NULL) = (state = ANY (ARRAY['proposed'::text, 'sent'::text, 'delivered'::text, 'acknowledged'::text, 'waitlisted'::text, 'accepted'::text, 'in_progress'::text])))),
    CONSTRAINT ended_service_has_outcome CHECK (((state = ANY (ARRAY['completed'::text, 'failed'::text])) = (outcome IS NOT NULL))),
    CONSTRAINT handover_has_a_reference CHECK (((outcome !~~ 'HANDED\_TO\_%'::text) OR (handover_ref IS NOT NULL))),
    CONSTRAINT handover_reference_is_a_reference CHECK ((handover_ref ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'::text)),
    CONSTRAINT paused_assignment_has_a_question CHECK (((answer_left IS NULL) OR ((question_id IS NOT NULL) AND (state = 'acknowledged'::text)))) NOT VALID
);
CREATE INDEX assignments_by_deadline ON assignments USING btree (LEAST(remind_at, due_at)) WHERE ((due_at IS NOT NULL) AND (overdue_told_at IS NULL));
CREATE INDEX assignments_done ON assignments USING btree (agency_id, ended_at, assignment_id) WHERE (ended_at IS NOT NULL);
CREATE INDEX assignments_of_an_inbox ON assignments USING btree (agency_id, due_at, assignment_id) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX one_accepted_assignment_per_referral ON assignments USING btree (referral_id) WHERE (state = ANY (ARRAY['accepted'::text, 'in_progress'::text]));
CREATE TRIGGER attempt_takes_its_place AFTER UPDATE ON assignments FOR EACH ROW WHEN (((old.place IS NOT NULL) OR (new.place IS NOT NULL))) EXECUTE FUNCTION count_taken_places();
CREATE TRIGGER first_attempt_takes_its_place AFTER INSERT ON assignments FOR EACH ROW WHEN ((new.place IS NOT NULL)) EXECUTE FUNCTION count_taken_places();
CREATE CONSTRAINT TRIGGER handover_has_minutes AFTER INSERT OR UPDATE ON assignments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.state = 'completed'::text) AND (new.outcome ~~ 'HANDED\_TO\_%'::text))) EXECUTE FUNCTION refuse_handover_without_minutes();
CREATE CONSTRAINT TRIGGER live_attempt_has_no_ended_referral AFTER INSERT ON assignments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.attempt > 1)) EXECUTE FUNCTION refuse_live_attempt_of_ended_referral();
CREATE CONSTRAINT TRIGGER one_agency_is_asked_at_a_time AFTER INSERT ON assignments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.attempt > 1)) EXECUTE FUNCTION refuse_second_asked_attempt();
ALTER TABLE assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE assignments FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency ON assignments FOR SELECT TO PUBLIC USING ((agency_id = ( SELECT
        CASE
            WHEN acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) THEN acting_organisation()
            ELSE NULL::text
        END AS "case")));
CREATE POLICY service_itself ON assignments FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE beds (
    agency_id text NOT NULL,
    case_id uuid NOT NULL,
    place text NOT NULL,
    attempts integer NOT NULL,
    CONSTRAINT beds_pkey PRIMARY KEY (agency_id, case_id),
    CONSTRAINT bed_is_somebodys CHECK ((attempts >= 0))
);
ALTER TABLE beds ENABLE ROW LEVEL SECURITY;
ALTER TABLE beds FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON beds FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE cancellations (
    assignment_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    region text NOT NULL,
    cancelled_at timestamp with time zone NOT NULL,
    confirm_by timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    confirmed_by text,
    overdue_told_at timestamp with time zone,
    CONSTRAINT cancellations_pkey PRIMARY KEY (assignment_id),
    CONSTRAINT confirmed_cancellation_says_who_and_when CHECK (((confirmed_at IS NULL) = (confirmed_by IS NULL)))
);
CREATE INDEX cancellations_by_limit ON cancellations USING btree (confirm_by) WHERE (confirmed_at IS NULL);
CREATE INDEX cancellations_of_an_agency ON cancellations USING btree (agency_id, confirm_by) WHERE (confirmed_at IS NULL);
ALTER TABLE cancellations ENABLE ROW LEVEL SECURITY;
ALTER TABLE cancellations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency_confirms ON cancellations FOR UPDATE TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_agency_sees ON cancellations FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_region_confirms ON cancellations FOR UPDATE TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = region) OR (( SELECT acting_region() AS acting_region) = "left"(region, 2)))));
CREATE POLICY own_region_sees ON cancellations FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = region) OR (( SELECT acting_region() AS acting_region) = "left"(region, 2)))));
CREATE POLICY service_itself ON cancellations FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: what was said of handing a case on, in codes
CREATE TABLE consents (
    case_id uuid NOT NULL,
    seq integer NOT NULL,
    kind text NOT NULL,
    said_id uuid NOT NULL,
    recipient_class text NOT NULL,
    needs text[] NOT NULL,
    said_at timestamp with time zone NOT NULL,
    by text NOT NULL,
    expires_at timestamp with time zone,
    statement text,
    basis text,
    spoken_by text,
    CONSTRAINT consents_pkey PRIMARY KEY (case_id, seq),
    CONSTRAINT consent_kind_is_known CHECK ((kind = ANY (ARRAY['given'::text, 'refused'::text, 'withdrawn'::text, 'expired'::text, 'basis'::text, 'basis_ended'::text]))) NOT VALID,
    CONSTRAINT named_basis_says_which CHECK (((kind = 'basis'::text) = (basis IS NOT NULL))),
    CONSTRAINT only_a_refusal_has_a_statement CHECK (((kind = 'refused'::text) OR (statement IS NULL))),
    CONSTRAINT recipient_class_is_known CHECK ((recipient_class = ANY (ARRAY['state'::text, 'civil_society'::text, 'police'::text, 'international'::text]))),
    CONSTRAINT speaker_is_known CHECK ((spoken_by = ANY (ARRAY['self'::text, 'parent'::text, 'guardian'::text]))) NOT VALID
);
ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE consents FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON consents FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: what was corrected of a person after the needs were sent, in codes
CREATE TABLE corrections (
    case_id uuid NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    was text,
    became text,
    reason text NOT NULL,
    corrected_at timestamp with time zone NOT NULL,
    CONSTRAINT corrections_pkey PRIMARY KEY (case_id, version),
    CONSTRAINT correction_changes_something CHECK ((was IS DISTINCT FROM became)),
    CONSTRAINT correction_kind_is_known CHECK ((kind = ANY (ARRAY['age'::text, 'sex'::text, 'origin'::text])))
);
ALTER TABLE corrections ENABLE ROW LEVEL SECURITY;
ALTER TABLE corrections FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON corrections FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- pairs of cases of one person; they end with the decision, and with an erasure of either
CREATE TABLE earlier_landings (
    match_id uuid NOT NULL,
    case_id uuid NOT NULL,
    earlier_case_id uuid NOT NULL,
    CONSTRAINT earlier_landings_pkey PRIMARY KEY (match_id),
    CONSTRAINT earlier_landing_is_another CHECK ((case_id <> earlier_case_id))
);
CREATE INDEX earlier_landings_of_case ON earlier_landings USING btree (case_id);
CREATE INDEX earlier_landings_of_earlier_case ON earlier_landings USING btree (earlier_case_id);
ALTER TABLE earlier_landings ENABLE ROW LEVEL SECURITY;
ALTER TABLE earlier_landings FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON earlier_landings FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: persons whose identity was erased
CREATE TABLE erasures (
    case_id uuid NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    CONSTRAINT erasures_pkey PRIMARY KEY (case_id)
);
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON erasures FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE escalations (
    escalation_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    assignment_id uuid,
    reason text NOT NULL,
    supervisor text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    rung text NOT NULL DEFAULT 'agency_supervisor'::text,
    due_at timestamp with time zone NOT NULL DEFAULT now(),
    rung_since timestamp with time zone NOT NULL DEFAULT now(),
    limit_code text,
    taken_by text,
    taken_at timestamp with time zone,
    CONSTRAINT escalations_pkey PRIMARY KEY (escalation_id),
    CONSTRAINT escalation_reason_is_known CHECK ((reason = ANY (ARRAY['no_candidate_left'::text, 'service_overdue'::text, 'person_refused'::text, 'outcome_failed'::text, 'unroutable_child'::text, 'question_unanswered'::text, 'said_duplicate'::text, 'legal_limit'::text, 'consent_awaited'::text]))) NOT VALID,
    CONSTRAINT escalation_rung_is_known CHECK ((rung = ANY (ARRAY['agency_supervisor'::text, 'province'::text, 'national'::text]))) NOT VALID,
    CONSTRAINT passed_limit_is_named CHECK (((reason = 'legal_limit'::text) = (limit_code IS NOT NULL))) NOT VALID,
    CONSTRAINT taken_escalation_says_by_whom CHECK (((taken_by IS NULL) = (taken_at IS NULL))) NOT VALID
);
CREATE INDEX escalations_of_a_limit ON escalations USING btree (referral_id) WHERE (limit_code IS NOT NULL);
CREATE UNIQUE INDEX one_open_escalation_per_reason ON escalations USING btree (referral_id, reason, COALESCE(limit_code, ''::text)) WHERE (closed_at IS NULL);
ALTER TABLE escalations ENABLE ROW LEVEL SECURITY;
ALTER TABLE escalations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_region ON escalations FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND (EXISTS ( SELECT
   FROM referrals r
  WHERE ((r.referral_id = escalations.referral_id) AND (r.province = ( SELECT "left"(acting_region(), 2) AS "left")) AND ((( SELECT acting_region() AS acting_region) = r.regency) OR (( SELECT acting_region() AS acting_region) = r.province)))
 OFFSET 0))));
CREATE POLICY service_itself ON escalations FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: routing decisions, by digest
CREATE TABLE explanations (
    digest bytea NOT NULL,
    rules_version text NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT explanations_pkey PRIMARY KEY (digest),
    CONSTRAINT explanation_is_addressed_by_its_content CHECK ((digest = sha256(body)))
);
ALTER TABLE explanations ENABLE ROW LEVEL SECURITY;
ALTER TABLE explanations FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON explanations FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE gaps (
    gap_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    directory_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    reason text,
    CONSTRAINT gaps_pkey PRIMARY KEY (gap_id),
    CONSTRAINT gap_reason_is_known CHECK ((reason = ANY (ARRAY['no_terms'::text, 'no_rule'::text, 'no_office'::text, 'suspended'::text, 'never_by_itself'::text, 'not_eligible'::text]))) NOT VALID
);
CREATE UNIQUE INDEX one_open_gap_per_referral ON gaps USING btree (referral_id) WHERE (closed_at IS NULL);
CREATE INDEX open_gaps_by_directory ON gaps USING btree (directory_at) WHERE (closed_at IS NULL);
ALTER TABLE gaps ENABLE ROW LEVEL SECURITY;
ALTER TABLE gaps FORCE ROW LEVEL SECURITY;
CREATE POLICY own_region ON gaps FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND (EXISTS ( SELECT
   FROM referrals r
  WHERE ((r.referral_id = gaps.referral_id) AND (r.province = ( SELECT "left"(acting_region(), 2) AS "left")) AND ((( SELECT acting_region() AS acting_region) = r.regency) OR (( SELECT acting_region() AS acting_region) = r.province)))
 OFFSET 0))));
CREATE POLICY service_itself ON gaps FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- write-once: opened once, judged once
CREATE TABLE glasses (
    glass_id uuid NOT NULL,
    case_id uuid NOT NULL,
    region text NOT NULL,
    matter text NOT NULL,
    reason text NOT NULL,
    reference text NOT NULL,
    broken_by text NOT NULL,
    broken_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    told text NOT NULL,
    review_by timestamp with time zone NOT NULL,
    reviewed_at timestamp with time zone,
    reviewed_by text,
    decision text,
    overdue_told_at timestamp with time zone,
    CONSTRAINT glasses_pkey PRIMARY KEY (glass_id),
    CONSTRAINT glass_decision_is_known CHECK ((decision = ANY (ARRAY['justified'::text, 'not_justified'::text]))),
    CONSTRAINT glass_is_judged_by_another CHECK ((reviewed_by <> broken_by)),
    CONSTRAINT glass_is_open_for_hours CHECK (((expires_at > broken_at) AND (expires_at <= (broken_at + '04:00:00'::interval)))),
    CONSTRAINT glass_matter_is_known CHECK ((matter = ANY (ARRAY['help'::text, 'custody'::text]))),
    CONSTRAINT glass_reason_is_known CHECK ((reason = ANY (ARRAY['danger_to_life'::text, 'child_at_risk'::text, 'agency_silent'::text, 'lawful_order'::text]))),
    CONSTRAINT glass_reference_is_a_reference CHECK ((reference ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'::text)),
    CONSTRAINT reviewed_glass_says_who_and_what CHECK ((((reviewed_at IS NULL) = (reviewed_by IS NULL)) AND ((reviewed_at IS NULL) = (decision IS NULL))))
);
CREATE INDEX glasses_of_a_person ON glasses USING btree (broken_by, expires_at);
CREATE INDEX glasses_to_review ON glasses USING btree (review_by) WHERE (reviewed_at IS NULL);
ALTER TABLE glasses ENABLE ROW LEVEL SECURITY;
ALTER TABLE glasses FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON glasses FOR SELECT TO PUBLIC USING ((broken_by = ( SELECT acting_id() AS acting_id)));
CREATE POLICY own_region_judges ON glasses FOR UPDATE TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND (told <> 'data_protection_officer'::text) AND ((( SELECT acting_region() AS acting_region) = region) OR (( SELECT acting_region() AS acting_region) = "left"(region, 2)))));
CREATE POLICY own_region_sees ON glasses FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND (told <> 'data_protection_officer'::text) AND ((( SELECT acting_region() AS acting_region) = region) OR (( SELECT acting_region() AS acting_region) = "left"(region, 2)))));
CREATE POLICY protection_officer_judges ON glasses FOR UPDATE TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY protection_officer_sees ON glasses FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY service_itself ON glasses FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: minutes as they were signed
CREATE TABLE handovers (
    assignment_id uuid NOT NULL,
    number text NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    child boolean NOT NULL,
    handed_by text NOT NULL,
    receiver text NOT NULL,
    witness text NOT NULL,
    place text NOT NULL,
    documents text[] NOT NULL,
    condition text NOT NULL,
    guardian_check text,
    handed_at timestamp with time zone NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT handovers_pkey PRIMARY KEY (assignment_id, number),
    CONSTRAINT child_goes_to_who_was_checked CHECK (((NOT child) OR (receiver = ANY (ARRAY['social_ministry'::text, 'agency'::text])) OR (guardian_check IS NOT NULL))),
    CONSTRAINT family_receives_before_local_government CHECK (((receiver <> ALL (ARRAY['family'::text, 'guardian'::text])) OR (witness = ANY (ARRAY['village'::text, 'local_government'::text])))),
    CONSTRAINT minutes_are_recorded_once_signed CHECK (((handed_at <= signed_at) AND (signed_at <= recorded_at))),
    CONSTRAINT minutes_have_numbers CHECK (((number ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'::text) AND ((guardian_check IS NULL) OR (guardian_check ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'::text)))),
    CONSTRAINT receiver_is_known CHECK ((receiver = ANY (ARRAY['family'::text, 'guardian'::text, 'village'::text, 'social_ministry'::text, 'agency'::text])))
);
ALTER TABLE handovers ENABLE ROW LEVEL SECURITY;
ALTER TABLE handovers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency ON handovers FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON handovers FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE households (
    case_id uuid NOT NULL,
    household_id uuid NOT NULL,
    is_unsettled boolean NOT NULL DEFAULT false,
    CONSTRAINT households_pkey PRIMARY KEY (case_id)
);
CREATE INDEX households_by_id ON households USING btree (household_id, case_id);
CREATE INDEX households_unsettled ON households USING btree (household_id) WHERE is_unsettled;
ALTER TABLE households ENABLE ROW LEVEL SECURITY;
ALTER TABLE households FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON households FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: one row per event and consumer that took effect
CREATE TABLE inbox (
    event_id uuid NOT NULL,
    consumer text NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (event_id, consumer)
);
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON inbox FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: what happened, who, why; never changed, never deleted
CREATE TABLE journal (
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    shared boolean NOT NULL,
    type text NOT NULL,
    case_id uuid NOT NULL,
    case_seq integer NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    traceparent text,
    payload bytea NOT NULL,
    CONSTRAINT journal_pkey PRIMARY KEY ("position"),
    CONSTRAINT journal_is_dense_per_case UNIQUE (case_id, case_seq),
    CONSTRAINT journal_counts_from_one CHECK ((case_seq >= 1)),
    CONSTRAINT journal_row_fits_a_record CHECK ((octet_length(payload) <= 200000))
);
CREATE TRIGGER journal_is_append_only BEFORE DELETE OR UPDATE ON journal FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_is_never_truncated BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE journal ENABLE ROW LEVEL SECURITY;
ALTER TABLE journal FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON journal FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: arrivals that were entered in error
CREATE TABLE landings_in_error (
    case_id uuid NOT NULL,
    CONSTRAINT landings_in_error_pkey PRIMARY KEY (case_id)
);
ALTER TABLE landings_in_error ENABLE ROW LEVEL SECURITY;
ALTER TABLE landings_in_error FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON landings_in_error FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: origins that were corrected, for each office that has to know
CREATE TABLE origin_notices (
    agency_id text NOT NULL,
    case_id uuid NOT NULL,
    version integer NOT NULL,
    port text NOT NULL,
    was text,
    became text,
    reason text NOT NULL,
    corrected_at timestamp with time zone NOT NULL,
    CONSTRAINT origin_notices_pkey PRIMARY KEY (agency_id, case_id, version)
);
CREATE INDEX origin_notices_of_an_office ON origin_notices USING btree (agency_id, corrected_at, case_id);
ALTER TABLE origin_notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE origin_notices FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency ON origin_notices FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON origin_notices FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE outbox (
    position bigint NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY ("position")
);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON outbox FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE parked (
    parked_id uuid NOT NULL,
    consumer text NOT NULL,
    topic text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    key bytea,
    headers jsonb NOT NULL,
    value bytea,
    case_id uuid,
    event_id uuid,
    reason text NOT NULL,
    error text NOT NULL,
    parked_at timestamp with time zone NOT NULL,
    released_at timestamp with time zone,
    discarded_at timestamp with time zone,
    discard_reason text,
    place bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT parked_pkey PRIMARY KEY (parked_id),
    CONSTRAINT discarded_has_reason CHECK (((discarded_at IS NULL) = (discard_reason IS NULL))),
    CONSTRAINT parked_ends_once CHECK (((released_at IS NULL) OR (discarded_at IS NULL))),
    CONSTRAINT parked_reason_is_known CHECK ((reason = ANY (ARRAY['unreadable'::text, 'failed'::text, 'behind'::text])))
);
CREATE INDEX parked_by_case ON parked USING btree (consumer, case_id) WHERE ((released_at IS NULL) AND (discarded_at IS NULL));
CREATE UNIQUE INDEX parked_record_once ON parked USING btree (consumer, topic, kafka_partition, kafka_offset, event_id, sha256(value)) NULLS NOT DISTINCT;
ALTER TABLE parked ENABLE ROW LEVEL SECURITY;
ALTER TABLE parked FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON parked FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE pauses (
    pause_id uuid NOT NULL,
    agency_id text NOT NULL,
    need text NOT NULL,
    restricted boolean NOT NULL,
    region text,
    reason text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    lifted_at timestamp with time zone,
    lifted_by text,
    CONSTRAINT pauses_pkey PRIMARY KEY (pause_id),
    CONSTRAINT lifted_pause_says_by_whom CHECK (((lifted_at IS NULL) = (lifted_by IS NULL))),
    CONSTRAINT pause_ends_after_it_began CHECK ((until > since))
);
CREATE UNIQUE INDEX one_pause_per_agency_and_need ON pauses USING btree (agency_id, need) WHERE (lifted_at IS NULL);
ALTER TABLE pauses ENABLE ROW LEVEL SECURITY;
ALTER TABLE pauses FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency ON pauses FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_region ON pauses FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = region) OR (( SELECT acting_region() AS acting_region) = "left"(region, 2)))));
CREATE POLICY service_itself ON pauses FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE places (
    agency_id text NOT NULL,
    sex text NOT NULL,
    age_band text NOT NULL,
    accessible boolean NOT NULL,
    place text NOT NULL DEFAULT ((((sex || '/'::text) || age_band) || '/'::text) ||
CASE
    WHEN accessible THEN 'accessible'::text
    ELSE 'other'::text
END),
    offered integer NOT NULL,
    taken integer NOT NULL DEFAULT 0,
    expires_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone NOT NULL,
    CONSTRAINT places_pkey PRIMARY KEY (agency_id, place),
    CONSTRAINT place_age_is_known CHECK ((age_band = ANY (ARRAY['child'::text, 'adult'::text, 'elderly'::text, 'any'::text]))),
    CONSTRAINT place_sex_is_known CHECK ((sex = ANY (ARRAY['F'::text, 'M'::text, 'any'::text]))),
    CONSTRAINT places_are_never_given_twice CHECK (((taken >= 0) AND (taken <= offered))),
    CONSTRAINT places_are_published_for_days CHECK ((expires_at <= (published_at + '7 days'::interval)))
);
CREATE INDEX places_by_expiry ON places USING btree (expires_at);
ALTER TABLE places ENABLE ROW LEVEL SECURITY;
ALTER TABLE places FORCE ROW LEVEL SECURITY;
CREATE POLICY keeper_sees ON places FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['coordinator'::text]) AS acting_in_role));
CREATE POLICY own_agency_changes ON places FOR UPDATE TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_agency_publishes ON places FOR INSERT TO PUBLIC WITH CHECK (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_agency_sees ON places FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON places FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE questions (
    question_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    port text NOT NULL,
    restricted boolean NOT NULL,
    code text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    answered_at timestamp with time zone,
    answered_by text,
    answer text,
    closed_at timestamp with time zone,
    CONSTRAINT questions_pkey PRIMARY KEY (question_id),
    CONSTRAINT each_question_once_per_attempt UNIQUE (assignment_id, code),
    CONSTRAINT answered_question_says_what_and_by_whom CHECK ((((answered_at IS NULL) = (answered_by IS NULL)) AND ((answered_at IS NULL) = (answer IS NULL))))
);
CREATE INDEX questions_of_a_port ON questions USING btree (port, due_at, question_id) WHERE ((answered_at IS NULL) AND (closed_at IS NULL));
ALTER TABLE questions ENABLE ROW LEVEL SECURITY;
ALTER TABLE questions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency ON questions FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_port ON questions FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON questions FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE recipient_tasks (
    task_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    region text,
    asked_at timestamp with time zone NOT NULL,
    confirm_by timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    settled_by text,
    overdue_told_at timestamp with time zone,
    kind text NOT NULL,
    fields text[] NOT NULL DEFAULT '{}'::text[],
    settled_as text,
    cause uuid,
    CONSTRAINT recipient_tasks_pkey PRIMARY KEY (task_id),
    CONSTRAINT correction_names_its_fields CHECK (((kind = 'correction'::text) = (fields <> '{}'::text[]))) NOT VALID,
    CONSTRAINT recipient_task_kind_is_known CHECK ((kind = ANY (ARRAY['erasure'::text, 'correction'::text, 'withdrawal'::text]))) NOT VALID,
    CONSTRAINT settled_task_says_who_when_and_how CHECK ((((settled_at IS NULL) = (settled_by IS NULL)) AND ((settled_at IS NULL) = (settled_as IS NULL)))) NOT VALID,
    CONSTRAINT task_is_settled_in_a_known_way CHECK ((settled_as = ANY (ARRAY['confirmed'::text, 'read'::text, 'superseded'::text]))) NOT VALID,
    CONSTRAINT withdrawal_task_names_its_cause CHECK (((kind = 'withdrawal'::text) = (cause IS NOT NULL))) NOT VALID
);
CREATE UNIQUE INDEX one_erasure_per_agency_and_case ON recipient_tasks USING btree (case_id, agency_id) WHERE (kind = 'erasure'::text);
CREATE UNIQUE INDEX one_withdrawal_task_per_agency ON recipient_tasks USING btree (cause, agency_id) WHERE (kind = 'withdrawal'::text);
CREATE INDEX open_tasks_of_a_case ON recipient_tasks USING btree (case_id) WHERE (settled_at IS NULL);
CREATE INDEX recipient_tasks_by_limit ON recipient_tasks USING btree (confirm_by) WHERE (settled_at IS NULL);
CREATE INDEX tasks_of_a_recipient ON recipient_tasks USING btree (agency_id, confirm_by) WHERE (settled_at IS NULL);
ALTER TABLE recipient_tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE recipient_tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency_confirms ON recipient_tasks FOR UPDATE TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_agency_sees ON recipient_tasks FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY own_region_confirms ON recipient_tasks FOR UPDATE TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = region) OR (( SELECT acting_region() AS acting_region) = "left"(region, 2)))));
CREATE POLICY own_region_sees ON recipient_tasks FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = region) OR (( SELECT acting_region() AS acting_region) = "left"(region, 2)))));
CREATE POLICY protection_officer_confirms ON recipient_tasks FOR UPDATE TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY protection_officer_sees ON recipient_tasks FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY service_itself ON recipient_tasks FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE referrals (
    referral_id uuid NOT NULL,
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
    arrived_at timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    explanation bytea NOT NULL,
    outcome text,
    ended_at timestamp with time zone,
    closed_by text,
    province text DEFAULT "left"(regency, 2),
    held_until timestamp with time zone,
    statement text,
    urgency smallint,
    is_struck boolean NOT NULL DEFAULT false,
    CONSTRAINT referrals_pkey PRIMARY KEY (referral_id),
    CONSTRAINT one_referral_per_need_of_a_case UNIQUE (case_id, need),
    CONSTRAINT child_does_not_depend_on_consent CHECK (((state <> ALL (ARRAY['awaiting_consent'::text, 'refused'::text, 'consent_withdrawn'::text])) OR (age_band <> ALL (ARRAY['child'::text, 'unknown'::text])))),
    CONSTRAINT child_is_given_up_by_an_officer_only CHECK (((state <> 'unfulfilled'::text) OR (age_band <> ALL (ARRAY['child'::text, 'unknown'::text])) OR (closed_by IS NOT NULL))),
    CONSTRAINT closed_need_has_outcome CHECK (((state <> ALL (ARRAY['fulfilled'::text, 'unfulfilled'::text])) OR (outcome IS NOT NULL))),
    CONSTRAINT closed_need_says_why_and_by_whom CHECK (((state <> ALL (ARRAY['unfulfilled'::text, 'cancelled'::text, 'entered_in_error'::text])) OR ((outcome IS NOT NULL) AND (closed_by IS NOT NULL)))),
    CONSTRAINT held_need_has_an_end CHECK (((state = 'on_hold'::text) = (held_until IS NOT NULL))) NOT VALID,
    CONSTRAINT need_ended_by_the_person_says_so CHECK (((state <> ALL (ARRAY['refused'::text, 'consent_withdrawn'::text])) OR ((outcome IS NOT NULL) AND (closed_by IS NOT NULL)))) NOT VALID,
    CONSTRAINT referral_state_is_known CHECK ((state = ANY (ARRAY['draft'::text, 'awaiting_consent'::text, 'open'::text, 'unroutable'::text, 'on_hold'::text, 'fulfilled'::text, 'unfulfilled'::text, 'refused'::text, 'consent_withdrawn'::text, 'cancelled'::text, 'entered_in_error'::text]))),
    CONSTRAINT refused_need_names_its_statement CHECK (((state = 'refused'::text) = (statement IS NOT NULL))) NOT VALID,
    CONSTRAINT terminal_referral_has_end CHECK (((ended_at IS NOT NULL) = (state = ANY (ARRAY['fulfilled'::text, 'unfulfilled'::text, 'refused'::text, 'consent_withdrawn'::text, 'cancelled'::text, 'entered_in_error'::text]))))
);
CREATE INDEX held_referrals ON referrals USING btree (held_until) WHERE (held_until IS NOT NULL);
CREATE INDEX live_needs_with_a_limit ON referrals USING btree (need, opened_at) WHERE ((ended_at IS NULL) AND (need = ANY (ARRAY['GBV'::text, 'TIP'::text])));
CREATE INDEX live_referrals ON referrals USING btree (province, arrived_at) WHERE (ended_at IS NULL);
CREATE INDEX referrals_closed ON referrals USING btree (province, ended_at, referral_id) WHERE (ended_at IS NOT NULL);
CREATE CONSTRAINT TRIGGER child_has_a_responsible_officer AFTER INSERT ON referrals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.age_band = ANY (ARRAY['child'::text, 'unknown'::text]))) EXECUTE FUNCTION refuse_child_without_officer();
CREATE CONSTRAINT TRIGGER corrected_child_has_a_responsible_officer AFTER UPDATE OF age_band ON referrals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.age_band = ANY (ARRAY['child'::text, 'unknown'::text])) AND (old.age_band <> ALL (ARRAY['child'::text, 'unknown'::text])))) EXECUTE FUNCTION refuse_child_without_officer();
CREATE CONSTRAINT TRIGGER ended_referral_has_no_live_attempt AFTER UPDATE ON referrals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.ended_at IS NOT NULL)) EXECUTE FUNCTION refuse_live_attempt_of_ended_referral();
CREATE CONSTRAINT TRIGGER refusal_has_a_statement AFTER INSERT OR UPDATE ON referrals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.state = 'refused'::text)) EXECUTE FUNCTION refuse_refusal_without_statement();
ALTER TABLE referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency ON referrals FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role) AND (EXISTS ( SELECT
   FROM assignments a
  WHERE (a.referral_id = referrals.referral_id)
 OFFSET 0))));
CREATE POLICY own_region ON referrals FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND (province = ( SELECT "left"(acting_region(), 2) AS "left")) AND ((( SELECT acting_region() AS acting_region) = regency) OR (( SELECT acting_region() AS acting_region) = province))));
CREATE POLICY service_itself ON referrals FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: statements of refusal as they were signed
CREATE TABLE refusal_statements (
    referral_id uuid NOT NULL,
    number text NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    recorded_by text NOT NULL,
    refuser text NOT NULL,
    incapacity text,
    witness text NOT NULL,
    place text NOT NULL,
    language text NOT NULL,
    explained text[] NOT NULL,
    refused_at timestamp with time zone NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT refusal_statements_pkey PRIMARY KEY (referral_id, number),
    CONSTRAINT family_refuses_for_who_cannot CHECK (((refuser = 'family'::text) = (incapacity IS NOT NULL))),
    CONSTRAINT refuser_is_known CHECK ((refuser = ANY (ARRAY['self'::text, 'family'::text]))),
    CONSTRAINT statement_is_recorded_once_signed CHECK (((refused_at <= signed_at) AND (signed_at <= recorded_at))),
    CONSTRAINT statements_have_numbers CHECK (((number ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'::text) AND ((incapacity IS NULL) OR (incapacity ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'::text)))),
    CONSTRAINT what_follows_was_explained CHECK ((explained @> ARRAY['help_offered'::text, 'what_follows'::text]))
);
ALTER TABLE refusal_statements ENABLE ROW LEVEL SECURITY;
ALTER TABLE refusal_statements FORCE ROW LEVEL SECURITY;
CREATE POLICY own_agency ON refusal_statements FOR SELECT TO PUBLIC USING (((agency_id = ( SELECT acting_organisation() AS acting_organisation)) AND ( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON refusal_statements FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: who answers for a child, and since when
CREATE TABLE responsibilities (
    case_id uuid NOT NULL,
    seq integer NOT NULL,
    officer text NOT NULL,
    organisation text NOT NULL,
    since timestamp with time zone NOT NULL,
    reason text NOT NULL,
    CONSTRAINT responsibilities_pkey PRIMARY KEY (case_id, seq),
    CONSTRAINT responsibility_begins_at_the_landing CHECK (((reason = ANY (ARRAY['correction'::text, 'duty'::text])) OR ((seq = 1) = (reason = 'arrival'::text)))) NOT VALID,
    CONSTRAINT responsibility_counts_from_one CHECK ((seq >= 1)),
    CONSTRAINT responsibility_names_somebody CHECK (((officer <> ''::text) AND (organisation <> ''::text))),
    CONSTRAINT responsibility_reason_is_known CHECK ((reason = ANY (ARRAY['arrival'::text, 'duty'::text, 'acceptance'::text, 'takeover'::text, 'correction'::text, 'undoing'::text]))) NOT VALID
);
ALTER TABLE responsibilities ENABLE ROW LEVEL SECURITY;
ALTER TABLE responsibilities FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON responsibilities FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE reunifications (
    task_id uuid NOT NULL,
    household_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    apart_from text NOT NULL,
    regency text NOT NULL,
    reason text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    rung text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    closed_as text,
    decision text,
    closed_by text,
    closed_at timestamp with time zone,
    remind_at timestamp with time zone,
    reminded_at timestamp with time zone,
    CONSTRAINT reunifications_pkey PRIMARY KEY (task_id),
    CONSTRAINT ended_reunification_says_how_and_when CHECK (((closed_as IS NULL) = (closed_at IS NULL))),
    CONSTRAINT reunification_decision_is_known CHECK ((decision = ANY (ARRAY['persons_wish'::text, 'safety'::text, 'medical_care'::text, 'reunited_by_people'::text, 'no_family'::text]))),
    CONSTRAINT reunification_ends_in_a_known_way CHECK ((closed_as = ANY (ARRAY['reunited'::text, 'parted'::text, 'decided'::text]))),
    CONSTRAINT reunification_rung_is_known CHECK ((rung = ANY (ARRAY['agency_supervisor'::text, 'province'::text, 'national'::text]))),
    CONSTRAINT split_has_a_reason CHECK ((reason = ANY (ARRAY['declined'::text, 'not_answered'::text, 'not_helped'::text, 'taken_back'::text, 'handed_on'::text, 'helped_before'::text, 'not_taken_together'::text, 'medical_care'::text, 'safety'::text, 'persons_wish'::text, 'no_room_together'::text]))),
    CONSTRAINT staying_apart_is_decided_by_name CHECK ((((NOT (closed_as IS DISTINCT FROM 'decided'::text)) = (decision IS NOT NULL)) AND ((decision IS NULL) = (closed_by IS NULL))))
);
CREATE UNIQUE INDEX one_open_reunification_per_case ON reunifications USING btree (case_id) WHERE (closed_at IS NULL);
CREATE INDEX reunifications_due ON reunifications USING btree (due_at) WHERE (closed_at IS NULL);
CREATE INDEX reunifications_of_household ON reunifications USING btree (household_id, case_id, opened_at);
CREATE INDEX reunifications_to_bring_together ON reunifications USING btree (regency, due_at) WHERE (closed_at IS NULL);
CREATE INDEX reunifications_to_remind ON reunifications USING btree (remind_at) WHERE (closed_at IS NULL);
ALTER TABLE reunifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE reunifications FORCE ROW LEVEL SECURITY;
CREATE POLICY own_region ON reunifications FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = regency) OR (( SELECT acting_region() AS acting_region) = "left"(regency, 2)))));
CREATE POLICY service_itself ON reunifications FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE revocations (
    scope text NOT NULL,
    code text NOT NULL,
    why text,
    ended_at timestamp with time zone,
    barred_at timestamp with time zone,
    restored_at timestamp with time zone,
    CONSTRAINT revocations_pkey PRIMARY KEY (scope, code),
    CONSTRAINT revocation_says_something CHECK (((ended_at IS NOT NULL) OR (restored_at IS NOT NULL))),
    CONSTRAINT revocation_scope_is_known CHECK ((scope = ANY (ARRAY['person'::text, 'client'::text, 'role'::text, 'organisation'::text])))
);
ALTER TABLE revocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocations FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON revocations FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE rule_sets (
    version text NOT NULL,
    state text NOT NULL,
    body bytea NOT NULL,
    digest bytea NOT NULL,
    drafted_by text NOT NULL,
    drafted_at timestamp with time zone NOT NULL,
    tried_at timestamp with time zone,
    asked_by text,
    asked_at timestamp with time zone,
    activated_by text,
    activated_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT rule_sets_pkey PRIMARY KEY (version),
    CONSTRAINT rules_differ UNIQUE (digest),
    CONSTRAINT rules_are_addressed_by_their_content CHECK ((digest = sha256(body))),
    CONSTRAINT rules_are_named CHECK ((version ~ '^[a-z0-9][a-z0-9.-]{0,31}$'::text)),
    CONSTRAINT rules_in_force_were_tried CHECK (((state <> 'active'::text) OR ((tried_at IS NOT NULL) AND (activated_at IS NOT NULL)))),
    CONSTRAINT rules_retire_once CHECK (((state = 'retired'::text) = (retired_at IS NOT NULL))),
    CONSTRAINT rules_state_is_known CHECK ((state = ANY (ARRAY['draft'::text, 'tried'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT rules_take_two_people CHECK (((activated_by IS NULL) OR (drafted_by = 'shipped'::text) OR ((asked_by IS NOT NULL) AND (asked_by <> activated_by))))
);
CREATE UNIQUE INDEX one_version_of_the_rules_is_in_force ON rule_sets USING btree ((true)) WHERE (state = 'active'::text);
ALTER TABLE rule_sets ENABLE ROW LEVEL SECURITY;
ALTER TABLE rule_sets FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON rule_sets FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['agency_worker'::text, 'agency_supervisor'::text, 'agency_system'::text, 'coordinator'::text, 'operator'::text, 'auditor'::text, 'service'::text, 'port_officer'::text, 'port_system'::text, 'ngo_member'::text, 'ngo_system'::text, 'data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY keeper_adds ON rule_sets FOR INSERT TO PUBLIC WITH CHECK (( SELECT acting_in_role(VARIADIC ARRAY['coordinator'::text]) AS acting_in_role));
CREATE POLICY keeper_changes ON rule_sets FOR UPDATE TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['coordinator'::text]) AS acting_in_role));
CREATE POLICY service_itself ON rule_sets FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE sessions (
    session_hash bytea NOT NULL,
    actor_id text NOT NULL,
    organisation text NOT NULL,
    roles text[] NOT NULL,
    port text,
    region text,
    signed_in_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    device_id uuid DEFAULT gen_random_uuid(),
    device text NOT NULL DEFAULT 'other:other'::text,
    authenticated_at timestamp with time zone,
    provider_session text,
    CONSTRAINT sessions_pkey PRIMARY KEY (session_hash),
    CONSTRAINT session_ends_after_it_began CHECK ((expires_at > signed_in_at)),
    CONSTRAINT session_hash_is_a_sha256 CHECK ((octet_length(session_hash) = 32))
);
CREATE INDEX sessions_by_end ON sessions USING btree (expires_at);
CREATE INDEX sessions_by_person ON sessions USING btree (actor_id);
CREATE INDEX sessions_by_provider_session ON sessions USING btree (provider_session) WHERE (provider_session IS NOT NULL);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON sessions FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE used_answers (
    digest bytea NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT used_answers_pkey PRIMARY KEY (digest),
    CONSTRAINT used_answer_is_a_sha256 CHECK ((octet_length(digest) = 32))
);
CREATE INDEX used_answers_by_end ON used_answers USING btree (ends_at);
ALTER TABLE used_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE used_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON used_answers FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE VIEW waiting WITH (security_invoker=true) AS
 SELECT parked.parked_id,
    parked.consumer,
    parked.topic,
    parked.kafka_partition,
    parked.kafka_offset,
    parked.key,
    parked.headers,
    parked.value,
    parked.case_id,
    parked.event_id,
    parked.reason,
    parked.error,
    parked.parked_at,
    parked.released_at,
    parked.discarded_at,
    parked.discard_reason,
    parked.place
   FROM parked
  WHERE ((parked.released_at IS NULL) AND (parked.discarded_at IS NULL));

CREATE OR REPLACE FUNCTION acting_as_service()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((current_setting('rujukan.scope'::text, true) = 'service'::text), false);

CREATE OR REPLACE FUNCTION acting_id()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('rujukan.actor'::text, true), ''::text);

CREATE OR REPLACE FUNCTION acting_in_role(VARIADIC roles text[])
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((string_to_array(current_setting('rujukan.roles'::text, true), '/'::text) && roles), false);

CREATE OR REPLACE FUNCTION acting_organisation()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('rujukan.organisation'::text, true), ''::text);

CREATE OR REPLACE FUNCTION acting_port()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('rujukan.port'::text, true), ''::text);

CREATE OR REPLACE FUNCTION acting_region()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('rujukan.region'::text, true), ''::text);

CREATE OR REPLACE FUNCTION count_taken_places()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    held_before boolean := TG_OP = 'UPDATE' AND OLD.place IS NOT NULL AND OLD.ended_at IS NULL;
    holds_now boolean := NEW.place IS NOT NULL AND NEW.ended_at IS NULL;
    person uuid;
    bed beds%ROWTYPE;
BEGIN
    IF held_before = holds_now AND (NOT holds_now OR (OLD.agency_id, OLD.place) = (NEW.agency_id, NEW.place)) THEN
        RETURN NULL;
    END IF;
    SELECT case_id INTO STRICT person FROM referrals WHERE referral_id = NEW.referral_id;
    IF held_before THEN
        UPDATE beds SET attempts = attempts - 1 WHERE agency_id = OLD.agency_id AND case_id = person
        RETURNING * INTO STRICT bed;
        IF bed.attempts = 0 THEN
            DELETE FROM beds WHERE agency_id = OLD.agency_id AND case_id = person;
            UPDATE places SET taken = taken - 1 WHERE agency_id = OLD.agency_id AND place = bed.place;
        END IF;
    END IF;
    IF holds_now THEN
        INSERT INTO beds (agency_id, case_id, place, attempts) VALUES (NEW.agency_id, person, NEW.place, 0)
        ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT bed FROM beds WHERE agency_id = NEW.agency_id AND case_id = person FOR UPDATE;
        UPDATE beds SET attempts = attempts + 1, place = NEW.place
        WHERE agency_id = NEW.agency_id AND case_id = person;
        IF bed.attempts > 0 AND bed.place <> NEW.place THEN
            UPDATE places SET taken = taken - 1 WHERE agency_id = NEW.agency_id AND place = bed.place;
        END IF;
        IF bed.attempts = 0 OR bed.place <> NEW.place THEN
            UPDATE places SET taken = taken + 1 WHERE agency_id = NEW.agency_id AND place = NEW.place;
            IF NOT FOUND THEN
                RAISE EXCEPTION '% has published no place %', NEW.agency_id, NEW.place
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'place_is_published';
            END IF;
        END IF;
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is append-only', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END $function$;

CREATE OR REPLACE FUNCTION refuse_child_without_officer()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM responsibilities WHERE case_id = NEW.case_id) THEN
        RAISE EXCEPTION 'nobody answers for the child of case %', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'child_has_a_responsible_officer';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION refuse_handover_without_minutes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (
        SELECT FROM handovers h JOIN referrals r ON r.referral_id = NEW.referral_id AND r.case_id = h.case_id
        WHERE h.assignment_id = NEW.assignment_id AND h.number = NEW.handover_ref
        AND (
            r.age_band NOT IN ('child', 'unknown') OR h.receiver IN ('social_ministry', 'agency')
            OR h.guardian_check IS NOT NULL
        )
        AND CASE NEW.outcome
            WHEN 'HANDED_TO_FAMILY' THEN h.receiver IN ('family', 'guardian')
            WHEN 'HANDED_TO_SOCIAL_MINISTRY' THEN h.receiver = 'social_ministry'
            ELSE h.receiver IN ('agency', 'village') END
    ) THEN
        RAISE EXCEPTION 'assignment % says % and has no minutes of it', NEW.assignment_id, NEW.outcome
            USING ERRCODE = 'check_violation', CONSTRAINT = 'handover_has_minutes';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION refuse_live_attempt_of_ended_referral()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (
        SELECT FROM referrals r JOIN assignments a USING (referral_id)
        WHERE r.referral_id = NEW.referral_id AND r.ended_at IS NOT NULL AND a.ended_at IS NULL
    ) THEN
        RAISE EXCEPTION 'referral % has ended and has a live attempt', NEW.referral_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ended_referral_has_no_live_attempt';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION refuse_refusal_without_statement()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (
        SELECT FROM refusal_statements s WHERE s.referral_id = NEW.referral_id AND s.number = NEW.statement
    ) AND NOT EXISTS (
        SELECT FROM consents c WHERE c.case_id = NEW.case_id AND c.kind = 'refused' AND c.statement = NEW.statement
        AND (c.needs = '{}' OR NEW.need = ANY(c.needs))
    ) THEN
        RAISE EXCEPTION 'referral % is refused and has no statement of it', NEW.referral_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refusal_has_a_statement';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION refuse_second_asked_attempt()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF (
        SELECT count(*) > 1 FROM assignments a
        WHERE a.referral_id = NEW.referral_id AND a.state IN ('sent', 'delivered', 'acknowledged', 'waitlisted')
    ) THEN
        RAISE EXCEPTION 'referral % is asked of two agencies at once', NEW.referral_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'one_agency_is_asked_at_a_time';
    END IF;
    RETURN NULL;
END $function$;
