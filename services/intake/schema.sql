-- Generated from the migrations by `make schema`; do not edit.

-- append-only: why somebody was not there whom a list had recorded, in codes
CREATE TABLE absent_arrivals (
    case_id uuid NOT NULL,
    voyage_id uuid NOT NULL,
    reason text NOT NULL,
    next_voyage_id uuid,
    said_by text NOT NULL,
    said_at timestamp with time zone NOT NULL,
    CONSTRAINT absent_arrivals_pkey PRIMARY KEY (case_id),
    CONSTRAINT absent_arrivals_case_id_fkey FOREIGN KEY (case_id) REFERENCES arrivals(case_id),
    CONSTRAINT absent_arrivals_next_voyage_id_fkey FOREIGN KEY (next_voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT absent_arrivals_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT absent_arrival_reason_is_known CHECK ((reason = ANY (ARRAY['not_boarded'::text, 'pending_case'::text, 'documents_held'::text, 'ill_abroad'::text, 'rolled_over'::text, 'other'::text, 'unknown'::text]))),
    CONSTRAINT only_who_rolls_over_comes_later CHECK (((next_voyage_id IS NULL) OR ((reason = 'rolled_over'::text) AND (next_voyage_id <> voyage_id))))
);
ALTER TABLE absent_arrivals ENABLE ROW LEVEL SECURITY;
ALTER TABLE absent_arrivals FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_voyage ON absent_arrivals FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = absent_arrivals.voyage_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = absent_arrivals.voyage_id)
 OFFSET 0)));
CREATE POLICY service_itself ON absent_arrivals FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE age_proposals (
    proposal_id uuid NOT NULL,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    regency text NOT NULL,
    was text NOT NULL,
    becomes text NOT NULL,
    sealed bytea NOT NULL,
    reason text NOT NULL,
    proof text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    ended_as text,
    ended_by text,
    ended_at timestamp with time zone,
    CONSTRAINT age_proposals_pkey PRIMARY KEY (proposal_id),
    CONSTRAINT ended_proposal_keeps_no_birth CHECK (((ended_as IS NULL) OR (octet_length(sealed) = 0))),
    CONSTRAINT ended_proposal_says_by_whom_and_when CHECK ((((ended_as IS NULL) = (ended_by IS NULL)) AND ((ended_as IS NULL) = (ended_at IS NULL)))),
    CONSTRAINT proposal_ends_in_a_known_way CHECK ((ended_as = ANY (ARRAY['confirmed'::text, 'refused'::text, 'withdrawn'::text, 'overtaken'::text, 'erased'::text, 'expired'::text]))) NOT VALID,
    CONSTRAINT proposal_is_confirmed_by_somebody_else CHECK (((ended_as <> 'confirmed'::text) OR (ended_by <> proposed_by))),
    CONSTRAINT proposal_takes_a_child_of_age CHECK (((was = ANY (ARRAY['child'::text, 'unknown'::text])) AND (becomes = ANY (ARRAY['adult'::text, 'elderly'::text]))))
);
CREATE INDEX age_proposals_of_person ON age_proposals USING btree (person_id);
CREATE INDEX age_proposals_to_decide ON age_proposals USING btree (port, proposed_at) WHERE (ended_as IS NULL);
CREATE UNIQUE INDEX one_open_age_proposal_per_case ON age_proposals USING btree (case_id) WHERE (ended_as IS NULL);
ALTER TABLE age_proposals ENABLE ROW LEVEL SECURITY;
ALTER TABLE age_proposals FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON age_proposals FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text]) AS acting_in_role)));
CREATE POLICY own_region ON age_proposals FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = regency) OR (( SELECT acting_region() AS acting_region) = "left"(regency, 2)))));
CREATE POLICY service_itself ON age_proposals FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- the first answer to each keyed write, for thirty days
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

-- append-only: what was corrected of an arrival, by whom and why, in codes
CREATE TABLE arrival_corrections (
    case_id uuid NOT NULL,
    version integer NOT NULL,
    port text NOT NULL,
    kind text NOT NULL,
    was text,
    became text,
    added text[] NOT NULL,
    struck text[] NOT NULL,
    reason text,
    strike_reason text,
    proof text,
    duplicate_of uuid,
    died_on date,
    proposed_by text,
    corrected_by text NOT NULL,
    corrected_at timestamp with time zone NOT NULL,
    CONSTRAINT arrival_corrections_pkey PRIMARY KEY (case_id, version),
    CONSTRAINT age_is_corrected_from_and_to CHECK (((kind <> 'age'::text) OR ((was IS NOT NULL) AND (became IS NOT NULL)))),
    CONSTRAINT arrival_correction_kind_is_known CHECK ((kind = ANY (ARRAY['age'::text, 'sex'::text, 'origin'::text, 'needs'::text, 'entered_in_error'::text, 'died'::text, 'death_undone'::text]))) NOT VALID,
    CONSTRAINT correction_says_why CHECK (((reason IS NOT NULL) OR (strike_reason IS NOT NULL) OR (kind = 'died'::text))),
    CONSTRAINT corrections_count_from_the_arrival CHECK ((version > 1)),
    CONSTRAINT two_people_make_a_child_an_adult CHECK (((kind <> 'age'::text) OR (was <> ALL (ARRAY['child'::text, 'unknown'::text])) OR (became <> ALL (ARRAY['adult'::text, 'elderly'::text])) OR ((proposed_by IS NOT NULL) AND (proposed_by <> corrected_by) AND (proof IS NOT NULL)))),
    CONSTRAINT two_people_undo_a_death CHECK (((kind <> 'death_undone'::text) OR ((proposed_by IS NOT NULL) AND (proposed_by <> corrected_by)))) NOT VALID
);
ALTER TABLE arrival_corrections ENABLE ROW LEVEL SECURITY;
ALTER TABLE arrival_corrections FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON arrival_corrections FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON arrival_corrections FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE arrivals (
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    voyage_id uuid,
    manifest_id uuid,
    manifest_row integer,
    port text NOT NULL,
    origin_regency text,
    sex text NOT NULL,
    age_band text NOT NULL,
    needs text[] NOT NULL,
    onward_wish text NOT NULL,
    channel text NOT NULL,
    arrived_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    sealed bytea NOT NULL,
    version integer NOT NULL DEFAULT 1,
    ended_as text,
    unfinished boolean NOT NULL DEFAULT false,
    CONSTRAINT arrivals_pkey PRIMARY KEY (case_id),
    CONSTRAINT arrival_age_band_is_known CHECK ((age_band = ANY (ARRAY['child'::text, 'adult'::text, 'elderly'::text, 'unknown'::text]))),
    CONSTRAINT arrival_by_list_has_a_row_until_it_is_erased CHECK (((channel <> 'manifest'::text) OR (manifest_row IS NOT NULL) OR (octet_length(sealed) = 0))) NOT VALID,
    CONSTRAINT arrival_by_list_names_its_list CHECK (((channel = 'manifest'::text) = (manifest_id IS NOT NULL))) NOT VALID,
    CONSTRAINT arrival_by_list_names_its_row CHECK (((channel = 'manifest'::text) OR (manifest_row IS NULL))) NOT VALID,
    CONSTRAINT arrival_channel_is_known CHECK ((channel = ANY (ARRAY['single'::text, 'batch'::text, 'manifest'::text]))),
    CONSTRAINT arrival_ends_in_a_known_way CHECK ((ended_as = ANY (ARRAY['entered_in_error'::text, 'died'::text]))) NOT VALID,
    CONSTRAINT arrival_has_a_need CHECK (('NEED'::text = ANY (needs))),
    CONSTRAINT arrival_sex_is_known CHECK ((sex = ANY (ARRAY['F'::text, 'M'::text, 'X'::text]))),
    CONSTRAINT child_has_a_child_need CHECK (((age_band <> ALL (ARRAY['child'::text, 'unknown'::text])) OR (needs && ARRAY['UAC'::text, 'CHILD'::text]))),
    CONSTRAINT nobody_arrives_in_the_future CHECK ((arrived_at <= (recorded_at + '00:05:00'::interval)))
);
CREATE INDEX arrivals_of_person ON arrivals USING brin (person_id) WITH (pages_per_range='16', autosummarize='on');
CREATE INDEX arrivals_of_voyage ON arrivals USING btree (voyage_id, case_id);
CREATE INDEX arrivals_to_complete ON arrivals USING btree (port, case_id) WHERE unfinished;
CREATE CONSTRAINT TRIGGER child_becomes_adult_by_two_people AFTER UPDATE OF age_band ON arrivals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.age_band = ANY (ARRAY['child'::text, 'unknown'::text])) AND (new.age_band = ANY (ARRAY['adult'::text, 'elderly'::text])))) EXECUTE FUNCTION refuse_adult_made_by_one();
ALTER TABLE arrivals ENABLE ROW LEVEL SECURITY;
ALTER TABLE arrivals FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON arrivals FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON arrivals FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE blind_indexes (
    person_id uuid NOT NULL,
    kind text NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT blind_indexes_pkey PRIMARY KEY (person_id, kind),
    CONSTRAINT blind_index_has_its_length CHECK ((octet_length(digest) = 16)),
    CONSTRAINT blind_index_kind_is_known CHECK ((kind = ANY (ARRAY['nik'::text, 'document'::text])))
);
CREATE INDEX blind_indexes_by_digest ON blind_indexes USING hash (digest);
ALTER TABLE blind_indexes ENABLE ROW LEVEL SECURITY;
ALTER TABLE blind_indexes FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON blind_indexes FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- cases for which earlier returns were looked for
CREATE TABLE compared_cases (
    case_id uuid NOT NULL,
    CONSTRAINT compared_cases_pkey PRIMARY KEY (case_id)
);
ALTER TABLE compared_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE compared_cases FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON compared_cases FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- who was told that consent is gone, and has confirmed
CREATE TABLE consent_recipients (
    entry_id uuid NOT NULL,
    agency_id text NOT NULL,
    confirmed_at timestamp with time zone,
    overdue_at timestamp with time zone,
    CONSTRAINT consent_recipients_pkey PRIMARY KEY (entry_id, agency_id)
);
ALTER TABLE consent_recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE consent_recipients FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_consent ON consent_recipients FOR SELECT TO PUBLIC USING ((EXISTS ( SELECT
   FROM consents c
  WHERE (c.entry_id = consent_recipients.entry_id))));
CREATE POLICY service_itself ON consent_recipients FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- write-once: consents, refusals, withdrawals and lawful bases in the order they were recorded
CREATE TABLE consents (
    entry_id uuid NOT NULL,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    recipient_class text NOT NULL,
    needs text[] NOT NULL,
    ends uuid,
    spoken_by text,
    how text,
    language text,
    expires_at timestamp with time zone,
    basis text,
    reason text,
    sealed bytea NOT NULL,
    confirm_by timestamp with time zone,
    recorded_by text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT consents_pkey PRIMARY KEY (entry_id),
    CONSTRAINT consents_of_a_case_are_counted UNIQUE (case_id, version),
    CONSTRAINT consent_class_is_known CHECK ((recipient_class = ANY (ARRAY['state'::text, 'civil_society'::text, 'police'::text, 'international'::text]))),
    CONSTRAINT consent_is_spoken_by_somebody CHECK ((((kind = ANY (ARRAY['given'::text, 'refused'::text, 'withdrawn'::text])) = ((spoken_by IS NOT NULL) AND (how IS NOT NULL) AND (language IS NOT NULL))) AND (spoken_by = ANY (ARRAY['self'::text, 'parent'::text, 'guardian'::text])) AND (how = ANY (ARRAY['signed'::text, 'thumbprint'::text, 'spoken_before_witness'::text])))),
    CONSTRAINT consent_kind_is_known CHECK ((kind = ANY (ARRAY['given'::text, 'refused'::text, 'withdrawn'::text, 'expired'::text, 'basis'::text, 'basis_ended'::text]))) NOT VALID,
    CONSTRAINT consent_purpose_is_known CHECK ((purpose = ANY (ARRAY['help'::text, 'family_tracing'::text, 'prosecution'::text]))),
    CONSTRAINT consent_version_begins_at_one CHECK ((version > 0)),
    CONSTRAINT lawful_basis_is_named_with_its_reason CHECK ((((kind = 'basis'::text) = (basis IS NOT NULL)) AND ((kind = ANY (ARRAY['basis'::text, 'basis_ended'::text])) = (reason IS NOT NULL)) AND (basis = ANY (ARRAY['legal_obligation'::text, 'vital_interest'::text, 'public_task'::text, 'best_interest'::text])))),
    CONSTRAINT only_a_consent_expires CHECK (((expires_at IS NULL) OR ((kind = 'given'::text) AND (expires_at > recorded_at)))),
    CONSTRAINT what_stops_is_to_be_confirmed CHECK (((kind = ANY (ARRAY['refused'::text, 'withdrawn'::text, 'expired'::text])) = (confirm_by IS NOT NULL))) NOT VALID,
    CONSTRAINT withdrawal_names_what_it_ends CHECK (((kind = ANY (ARRAY['withdrawn'::text, 'expired'::text, 'basis_ended'::text])) = (ends IS NOT NULL))) NOT VALID
);
CREATE INDEX consents_of_person ON consents USING btree (person_id);
CREATE INDEX consents_to_end ON consents USING btree (expires_at) WHERE ((kind = 'given'::text) AND (expires_at IS NOT NULL));
CREATE UNIQUE INDEX one_end_per_lawful_basis ON consents USING btree (ends) WHERE (kind = 'basis_ended'::text);
CREATE TRIGGER consent_loses_its_words_alone BEFORE UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION consent_loses_its_words_alone();
ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE consents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON consents FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON consents FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE corrections (
    correction_id uuid NOT NULL,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    field text NOT NULL,
    sealed bytea NOT NULL,
    reference text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    decide_by timestamp with time zone NOT NULL,
    decision text,
    reason text,
    decided_by text,
    decided_at timestamp with time zone,
    CONSTRAINT corrections_pkey PRIMARY KEY (correction_id),
    CONSTRAINT correction_decision_is_known CHECK ((decision = ANY (ARRAY['accepted'::text, 'rejected'::text, 'erased'::text]))),
    CONSTRAINT correction_reference_is_short CHECK (((char_length(reference) >= 1) AND (char_length(reference) <= 40))),
    CONSTRAINT decided_correction_keeps_no_value CHECK (((decision IS NULL) OR (octet_length(sealed) = 0))),
    CONSTRAINT decided_correction_says_by_whom_and_when CHECK ((((decision IS NULL) = (decided_by IS NULL)) AND ((decision IS NULL) = (decided_at IS NULL)))),
    CONSTRAINT rejection_has_a_known_reason CHECK ((((NOT (decision IS DISTINCT FROM 'rejected'::text)) = (reason IS NOT NULL)) AND (reason = ANY (ARRAY['no_proof'::text, 'not_this_person'::text, 'already_so'::text, 'withdrawn'::text]))))
);
CREATE INDEX corrections_of_person ON corrections USING btree (person_id);
CREATE INDEX corrections_to_decide ON corrections USING btree (decide_by, correction_id) WHERE (decision IS NULL);
ALTER TABLE corrections ENABLE ROW LEVEL SECURITY;
ALTER TABLE corrections FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON corrections FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- that somebody lives who was noted as dead, and who decided it; in codes
CREATE TABLE death_doubts (
    doubt_id uuid NOT NULL,
    case_id uuid NOT NULL,
    port text NOT NULL,
    regency text NOT NULL,
    reason text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    ended_as text,
    ended_by text,
    ended_at timestamp with time zone,
    CONSTRAINT death_doubts_pkey PRIMARY KEY (doubt_id),
    CONSTRAINT death_doubt_ends_in_a_known_way CHECK ((ended_as = ANY (ARRAY['confirmed'::text, 'refused'::text, 'withdrawn'::text, 'overtaken'::text]))),
    CONSTRAINT death_doubt_reason_is_known CHECK ((reason = ANY (ARRAY['seen_alive'::text, 'of_another_person'::text, 'recorded_wrongly'::text]))),
    CONSTRAINT doubt_is_confirmed_by_somebody_else CHECK (((ended_as <> 'confirmed'::text) OR (ended_by <> proposed_by))),
    CONSTRAINT ended_doubt_says_by_whom_and_when CHECK ((((ended_as IS NULL) = (ended_by IS NULL)) AND ((ended_as IS NULL) = (ended_at IS NULL))))
);
CREATE INDEX death_doubts_to_decide ON death_doubts USING btree (port, proposed_at) WHERE (ended_as IS NULL);
CREATE UNIQUE INDEX one_open_death_doubt_per_case ON death_doubts USING btree (case_id) WHERE (ended_as IS NULL);
ALTER TABLE death_doubts ENABLE ROW LEVEL SECURITY;
ALTER TABLE death_doubts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON death_doubts FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text]) AS acting_in_role)));
CREATE POLICY own_region ON death_doubts FOR SELECT TO PUBLIC USING ((( SELECT acting_in_role(VARIADIC ARRAY['agency_supervisor'::text]) AS acting_in_role) AND ((( SELECT acting_region() AS acting_region) = regency) OR (( SELECT acting_region() AS acting_region) = "left"(regency, 2)))));
CREATE POLICY service_itself ON death_doubts FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE disclosure_grants (
    assignment_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    need text NOT NULL,
    accepted_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    completed boolean NOT NULL DEFAULT false,
    CONSTRAINT disclosure_grants_pkey PRIMARY KEY (assignment_id)
);
CREATE INDEX disclosure_grants_of_case ON disclosure_grants USING btree (case_id);
ALTER TABLE disclosure_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE disclosure_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON disclosure_grants FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: each time that an identity was shown to an agency
CREATE TABLE disclosures (
    disclosure_id uuid NOT NULL,
    case_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    agency_id text NOT NULL,
    reader text NOT NULL,
    purpose text NOT NULL,
    fields text[] NOT NULL,
    disclosed_at timestamp with time zone NOT NULL,
    CONSTRAINT disclosures_pkey PRIMARY KEY (disclosure_id)
);
CREATE INDEX disclosures_of_case ON disclosures USING btree (case_id, disclosure_id);
ALTER TABLE disclosures ENABLE ROW LEVEL SECURITY;
ALTER TABLE disclosures FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON disclosures FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- what an uploaded list says, sealed; gone when its draft ends
CREATE TABLE draft_blocks (
    draft_id uuid NOT NULL,
    block integer NOT NULL,
    standings text NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT draft_blocks_pkey PRIMARY KEY (draft_id, block),
    CONSTRAINT draft_blocks_draft_id_fkey FOREIGN KEY (draft_id) REFERENCES drafts(draft_id),
    CONSTRAINT draft_block_counts_from_nought CHECK ((block >= 0)),
    CONSTRAINT draft_standings_are_known CHECK ((standings ~ '^[rmtkeoa]+$'::text)) NOT VALID
);
ALTER TABLE draft_blocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE draft_blocks FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_draft ON draft_blocks FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM drafts d
  WHERE (d.draft_id = draft_blocks.draft_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM drafts d
  WHERE (d.draft_id = draft_blocks.draft_id)
 OFFSET 0)));
CREATE POLICY service_itself ON draft_blocks FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- one wrapped key for each draft under way; deleting it ends what can be read
CREATE TABLE draft_keys (
    draft_id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    CONSTRAINT draft_keys_pkey PRIMARY KEY (draft_id),
    CONSTRAINT draft_keys_draft_id_fkey FOREIGN KEY (draft_id) REFERENCES drafts(draft_id),
    CONSTRAINT wrapped_draft_key_has_its_length CHECK ((octet_length(wrapped_key) = 64))
);
ALTER TABLE draft_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE draft_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON draft_keys FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- lists that were uploaded and are not done with, in counts; what they say is sealed
CREATE TABLE drafts (
    draft_id uuid NOT NULL,
    voyage_id uuid NOT NULL,
    port text NOT NULL,
    state text NOT NULL,
    form text NOT NULL,
    file_digest bytea NOT NULL,
    sender bytea,
    upload integer NOT NULL,
    version integer NOT NULL,
    lines integer NOT NULL,
    ready integer NOT NULL,
    mend integer NOT NULL,
    twice integer NOT NULL,
    known integer NOT NULL,
    empty integer NOT NULL,
    left_out integer NOT NULL,
    header bytea NOT NULL,
    owner text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    asks text[] NOT NULL DEFAULT '{}'::text[],
    absent integer NOT NULL DEFAULT 0,
    CONSTRAINT drafts_pkey PRIMARY KEY (draft_id),
    CONSTRAINT drafts_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT draft_absent_is_not_negative CHECK ((absent >= 0)) NOT VALID,
    CONSTRAINT draft_asks_for_what_is_known CHECK ((asks <@ ARRAY['heading'::text, 'doubled'::text, 'full_name'::text, 'sex'::text, 'birth_date'::text])) NOT VALID,
    CONSTRAINT draft_counts_add_up CHECK ((lines = ((((((ready + mend) + twice) + known) + empty) + left_out) + absent))) NOT VALID,
    CONSTRAINT draft_counts_are_not_negative CHECK (((ready >= 0) AND (mend >= 0) AND (twice >= 0) AND (known >= 0) AND (empty >= 0) AND (left_out >= 0))),
    CONSTRAINT draft_counts_from_one CHECK (((version >= 1) AND (upload >= 1))),
    CONSTRAINT draft_digests_have_their_length CHECK (((octet_length(file_digest) = 16) AND ((sender IS NULL) OR (octet_length(sender) = 16)))),
    CONSTRAINT draft_form_is_known CHECK ((form = ANY (ARRAY['csv'::text, 'xlsx'::text, 'paste'::text, 'carried'::text]))) NOT VALID,
    CONSTRAINT draft_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'sending'::text, 'sent'::text, 'discarded'::text, 'expired'::text, 'erased'::text]))),
    CONSTRAINT ended_draft_keeps_nothing CHECK ((((ended_at IS NOT NULL) = (state <> ALL (ARRAY['open'::text, 'sending'::text]))) AND ((ended_at IS NULL) OR (octet_length(header) = 0)))),
    CONSTRAINT sent_draft_has_nothing_left CHECK (((state <> 'sent'::text) OR ((ready = 0) AND (mend = 0) AND (twice = 0)))),
    CONSTRAINT unread_draft_has_nobody_ready CHECK (((asks = '{}'::text[]) OR ((state <> ALL (ARRAY['sending'::text, 'sent'::text])) AND (ready = 0) AND (twice = 0) AND (known = 0)))) NOT VALID
);
CREATE UNIQUE INDEX draft_of_a_file_is_one ON drafts USING btree (voyage_id, file_digest) WHERE (ended_at IS NULL);
CREATE INDEX drafts_under_way ON drafts USING btree (port, changed_at) WHERE (ended_at IS NULL);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE drafts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON drafts FOR ALL TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role))) WITH CHECK (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON drafts FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE erasure_recipients (
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    confirmed_at timestamp with time zone,
    overdue_at timestamp with time zone,
    CONSTRAINT erasure_recipients_pkey PRIMARY KEY (case_id, agency_id)
);
ALTER TABLE erasure_recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure_recipients FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON erasure_recipients FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: the receipt of each erasure
CREATE TABLE erasures (
    person_id uuid NOT NULL,
    reason text NOT NULL,
    reference text NOT NULL,
    erased_by text NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    confirm_by timestamp with time zone NOT NULL,
    CONSTRAINT erasures_pkey PRIMARY KEY (person_id),
    CONSTRAINT erasure_reason_is_known CHECK ((reason = ANY (ARRAY['request'::text, 'retention'::text, 'order'::text]))),
    CONSTRAINT erasure_reference_is_short CHECK (((char_length(reference) >= 1) AND (char_length(reference) <= 40)))
);
CREATE INDEX erasures_in_time ON erasures USING btree (erased_at, person_id);
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON erasures FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- write-once: which adult answers for which child, from when until when
CREATE TABLE guardian_links (
    link_id uuid NOT NULL,
    child_case_id uuid NOT NULL,
    adult_case_id uuid NOT NULL,
    port text NOT NULL,
    relation text NOT NULL,
    proof text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    is_listed boolean NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    confirmed_by text,
    confirmed_at timestamp with time zone,
    ended_for text,
    ended_by text,
    ended_at timestamp with time zone,
    CONSTRAINT guardian_links_pkey PRIMARY KEY (link_id),
    CONSTRAINT guardian_answers_once_confirmed CHECK ((((confirmed_by IS NULL) = (confirmed_at IS NULL)) AND ((state <> 'confirmed'::text) OR (confirmed_by IS NOT NULL)) AND ((state <> 'proposed'::text) OR (confirmed_by IS NULL)))),
    CONSTRAINT guardian_is_confirmed_by_somebody_else CHECK ((is_listed OR (confirmed_by <> proposed_by))),
    CONSTRAINT guardian_is_somebody_else CHECK ((child_case_id <> adult_case_id)),
    CONSTRAINT guardian_link_state_is_known CHECK ((state = ANY (ARRAY['proposed'::text, 'confirmed'::text, 'ended'::text]))),
    CONSTRAINT guardian_proof_is_known CHECK ((proof = ANY (ARRAY['birth_certificate'::text, 'family_card'::text, 'travel_document'::text, 'statement_of_both'::text, 'none'::text]))),
    CONSTRAINT guardian_relation_is_known CHECK ((relation = ANY (ARRAY['mother'::text, 'father'::text, 'grandparent'::text, 'sibling'::text, 'aunt_or_uncle'::text, 'legal_guardian'::text, 'other_relative'::text, 'not_stated'::text]))),
    CONSTRAINT unlinking_reason_is_known CHECK ((ended_for = ANY (ARRAY['not_related'::text, 'child_at_risk'::text, 'adult_elsewhere'::text, 'statement_withdrawn'::text, 'in_error'::text, 'died'::text, 'refused'::text, 'withdrawn'::text, 'expired'::text]))) NOT VALID,
    CONSTRAINT unlinking_says_why_by_whom_and_when CHECK ((((state = 'ended'::text) = (ended_at IS NOT NULL)) AND ((ended_at IS NULL) = (ended_by IS NULL)) AND ((ended_at IS NULL) = (ended_for IS NULL))))
);
CREATE INDEX guardian_links_of_adult ON guardian_links USING btree (adult_case_id, link_id);
CREATE INDEX guardian_links_of_child ON guardian_links USING btree (child_case_id, link_id);
CREATE INDEX guardian_links_to_confirm ON guardian_links USING btree (port, proposed_at) WHERE (state = 'proposed'::text);
CREATE UNIQUE INDEX one_link_of_child_and_adult ON guardian_links USING btree (child_case_id, adult_case_id) WHERE (ended_at IS NULL);
CREATE TRIGGER guardian_link_is_not_rewritten BEFORE UPDATE ON guardian_links FOR EACH ROW EXECUTE FUNCTION refuse_rewritten_guardian();
ALTER TABLE guardian_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE guardian_links FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON guardian_links FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON guardian_links FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE held_rows (
    manifest_id uuid NOT NULL,
    row_number integer NOT NULL,
    voyage_id uuid NOT NULL,
    said text[] NOT NULL,
    mark bytea NOT NULL,
    settled_by uuid,
    settled_at timestamp with time zone,
    logged_as uuid,
    CONSTRAINT held_rows_pkey PRIMARY KEY (manifest_id, row_number),
    CONSTRAINT held_rows_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(manifest_id),
    CONSTRAINT held_rows_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES manifests(manifest_id),
    CONSTRAINT held_rows_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT held_row_has_a_mark_of_what_it_said CHECK ((octet_length(mark) = 16)),
    CONSTRAINT held_row_is_settled_by_a_later_list CHECK ((settled_by > manifest_id)),
    CONSTRAINT row_settled_by_a_list_has_its_time CHECK (((settled_by IS NULL) OR (settled_at IS NOT NULL)))
);
CREATE INDEX held_rows_of_voyage ON held_rows USING btree (voyage_id, manifest_id);
ALTER TABLE held_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE held_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_voyage ON held_rows FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = held_rows.voyage_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = held_rows.voyage_id)
 OFFSET 0)));
CREATE POLICY service_itself ON held_rows FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- write-once: who belonged to a household from when until when
CREATE TABLE household_members (
    household_id uuid NOT NULL,
    case_id uuid NOT NULL,
    port text NOT NULL,
    joined_as text NOT NULL,
    joined_by text NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    parted_for text,
    parted_by text,
    parted_at timestamp with time zone,
    CONSTRAINT household_members_pkey PRIMARY KEY (case_id, joined_at, household_id),
    CONSTRAINT household_members_household_id_fkey FOREIGN KEY (household_id) REFERENCES households(household_id),
    CONSTRAINT household_is_joined_for_a_reason CHECK ((joined_as = ANY (ARRAY['listed'::text, 'said_by_family'::text, 'guardian_linked'::text]))),
    CONSTRAINT household_is_left_for_a_reason CHECK ((parted_for = ANY (ARRAY['said_by_family'::text, 'guardian_linked'::text, 'not_of_it'::text, 'family_parted'::text, 'in_error'::text]))),
    CONSTRAINT parting_says_why_by_whom_and_when CHECK ((((parted_for IS NULL) = (parted_by IS NULL)) AND ((parted_for IS NULL) = (parted_at IS NULL))))
);
CREATE INDEX members_of_household ON household_members USING btree (household_id, joined_at);
CREATE UNIQUE INDEX one_household_at_a_time ON household_members USING btree (case_id) WHERE (parted_at IS NULL);
CREATE TRIGGER membership_is_not_rewritten BEFORE UPDATE ON household_members FOR EACH ROW EXECUTE FUNCTION refuse_rewritten_membership();
ALTER TABLE household_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE household_members FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON household_members FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON household_members FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- write-once: people who stay together; the version grows with each who joins or parts
CREATE TABLE households (
    household_id uuid NOT NULL,
    port text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    formed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT households_pkey PRIMARY KEY (household_id)
);
ALTER TABLE households ENABLE ROW LEVEL SECURITY;
ALTER TABLE households FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON households FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
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

-- what must be kept for a court, an investigation, a claim or an inspection; service only
CREATE TABLE legal_holds (
    hold_id uuid NOT NULL,
    person_id uuid NOT NULL,
    case_id uuid NOT NULL,
    reason text NOT NULL,
    reference text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    lifted_by text,
    lifted_at timestamp with time zone,
    lift_reason text,
    CONSTRAINT legal_holds_pkey PRIMARY KEY (hold_id),
    CONSTRAINT hold_is_lifted_for_a_known_reason CHECK ((lift_reason = ANY (ARRAY['hold_ended'::text, 'placed_in_error'::text]))),
    CONSTRAINT hold_reason_is_known CHECK ((reason = ANY (ARRAY['court'::text, 'investigation'::text, 'claim'::text, 'inspection'::text]))),
    CONSTRAINT hold_reference_is_short CHECK (((char_length(reference) >= 1) AND (char_length(reference) <= 40))),
    CONSTRAINT lifted_hold_says_by_whom_when_and_why CHECK ((((lifted_at IS NULL) = (lifted_by IS NULL)) AND ((lifted_at IS NULL) = (lift_reason IS NULL))))
);
CREATE INDEX legal_holds_of_person ON legal_holds USING btree (person_id);
ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE legal_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON legal_holds FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: what was wrong with the rows of a list that were held back
CREATE TABLE manifest_problems (
    manifest_id uuid NOT NULL,
    row_number integer NOT NULL,
    field text NOT NULL,
    code text NOT NULL,
    CONSTRAINT manifest_problems_pkey PRIMARY KEY (manifest_id, row_number, field, code),
    CONSTRAINT manifest_problems_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(manifest_id)
);
ALTER TABLE manifest_problems ENABLE ROW LEVEL SECURITY;
ALTER TABLE manifest_problems FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_list ON manifest_problems FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM manifests m
  WHERE (m.manifest_id = manifest_problems.manifest_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM manifests m
  WHERE (m.manifest_id = manifest_problems.manifest_id)
 OFFSET 0)));
CREATE POLICY service_itself ON manifest_problems FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE manifests (
    manifest_id uuid NOT NULL,
    voyage_id uuid NOT NULL,
    file_digest bytea NOT NULL,
    listed integer NOT NULL,
    rejected integer NOT NULL,
    accepted integer,
    known integer,
    received_by text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    superseded_by uuid,
    draft_id uuid,
    upload integer,
    CONSTRAINT manifests_pkey PRIMARY KEY (manifest_id),
    CONSTRAINT manifest_file_is_taken_once UNIQUE (voyage_id, file_digest),
    CONSTRAINT manifests_draft_id_fkey FOREIGN KEY (draft_id) REFERENCES drafts(draft_id) NOT VALID,
    CONSTRAINT manifests_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES manifests(manifest_id),
    CONSTRAINT manifests_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT finished_manifest_is_counted CHECK ((((finished_at IS NULL) = (accepted IS NULL)) AND ((finished_at IS NULL) = (known IS NULL)))),
    CONSTRAINT manifest_counts_add_up CHECK ((listed = ((accepted + rejected) + known))),
    CONSTRAINT manifest_counts_are_not_negative CHECK (((listed >= 0) AND (rejected >= 0) AND (accepted >= 0) AND (known >= 0))),
    CONSTRAINT manifest_is_not_its_own_successor CHECK ((superseded_by <> manifest_id)),
    CONSTRAINT manifest_of_a_draft_says_of_which_file CHECK (((draft_id IS NULL) = (upload IS NULL))) NOT VALID
);
ALTER TABLE manifests ENABLE ROW LEVEL SECURITY;
ALTER TABLE manifests FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_voyage ON manifests FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = manifests.voyage_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = manifests.voyage_id)
 OFFSET 0)));
CREATE POLICY service_itself ON manifests FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- what was decided of a pair, one after the other; ends with the pair
CREATE TABLE match_decisions (
    match_id uuid NOT NULL,
    version integer NOT NULL,
    decision text NOT NULL,
    reason text,
    decided_by text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    CONSTRAINT match_decisions_pkey PRIMARY KEY (match_id, version),
    CONSTRAINT match_decisions_match_id_fkey FOREIGN KEY (match_id) REFERENCES possible_matches(match_id) ON DELETE CASCADE,
    CONSTRAINT match_decision_is_known CHECK ((decision = ANY (ARRAY['same'::text, 'different'::text, 'later'::text, 'undone'::text, 'ended'::text]))) NOT VALID,
    CONSTRAINT undoing_has_a_known_reason CHECK (
CASE decision
    WHEN 'undone'::text THEN ((reason = ANY (ARRAY['decided_in_error'::text, 'new_proof'::text])) AND (reason IS NOT NULL))
    WHEN 'ended'::text THEN ((reason = 'entered_in_error'::text) AND (reason IS NOT NULL))
    ELSE (reason IS NULL)
END) NOT VALID
);
ALTER TABLE match_decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE match_decisions FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_match ON match_decisions FOR SELECT TO PUBLIC USING ((EXISTS ( SELECT
   FROM possible_matches p
  WHERE (p.match_id = match_decisions.match_id)
 OFFSET 0)));
CREATE POLICY service_itself ON match_decisions FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- keyed digests by which earlier returns are found; they end with the key of the person
CREATE TABLE match_keys (
    key bigint NOT NULL,
    case_id uuid NOT NULL,
    CONSTRAINT match_keys_pkey PRIMARY KEY (key, case_id)
);
CREATE INDEX match_keys_of_case ON match_keys USING brin (case_id) WITH (pages_per_range='16', autosummarize='on');
ALTER TABLE match_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE match_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON match_keys FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

CREATE TABLE person_keys (
    person_id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    CONSTRAINT person_keys_pkey PRIMARY KEY (person_id),
    CONSTRAINT wrapped_key_has_its_length CHECK ((octet_length(wrapped_key) = 64))
);
CREATE TRIGGER blind_indexes_end_with_the_key AFTER DELETE ON person_keys REFERENCING OLD TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION forget_blind_indexes();
CREATE TRIGGER matches_end_with_the_key AFTER DELETE ON person_keys REFERENCING OLD TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION forget_matches();
ALTER TABLE person_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON person_keys FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- pairs of cases that may be of one person; they end with the key of either
CREATE TABLE possible_matches (
    match_id uuid NOT NULL,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    earlier_case_id uuid NOT NULL,
    earlier_person_id uuid NOT NULL,
    port text NOT NULL,
    voyage_id uuid,
    strength text NOT NULL,
    bits real NOT NULL,
    levels text[] NOT NULL,
    state text NOT NULL,
    owner text,
    version integer NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    CONSTRAINT possible_matches_pkey PRIMARY KEY (match_id),
    CONSTRAINT match_is_proposed_once UNIQUE (case_id, earlier_case_id),
    CONSTRAINT match_decision_says_by_whom_and_when CHECK ((((decided_by IS NULL) = (decided_at IS NULL)) AND ((state = 'open'::text) OR (decided_by IS NOT NULL)))),
    CONSTRAINT match_for_later_has_an_owner CHECK (((state = 'later'::text) = (owner IS NOT NULL))),
    CONSTRAINT match_is_of_two_cases CHECK ((case_id <> earlier_case_id)),
    CONSTRAINT match_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'later'::text, 'same'::text, 'different'::text, 'ended'::text]))) NOT VALID,
    CONSTRAINT match_strength_is_known CHECK ((strength = ANY (ARRAY['strong'::text, 'possible'::text])))
);
CREATE INDEX possible_matches_of_earlier_person ON possible_matches USING btree (earlier_person_id);
CREATE INDEX possible_matches_of_person ON possible_matches USING btree (person_id);
CREATE INDEX possible_matches_to_decide ON possible_matches USING btree (port, match_id) WHERE (state = ANY (ARRAY['open'::text, 'later'::text]));
CREATE INDEX possible_matches_undecided_of_earlier ON possible_matches USING btree (earlier_case_id) WHERE (state = ANY (ARRAY['open'::text, 'later'::text]));
ALTER TABLE possible_matches ENABLE ROW LEVEL SECURITY;
ALTER TABLE possible_matches FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON possible_matches FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON possible_matches FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- needs that referral has taken up, and when help ended
CREATE TABLE referred_needs (
    case_id uuid NOT NULL,
    need text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    heard_seq integer NOT NULL DEFAULT 0,
    CONSTRAINT referred_needs_pkey PRIMARY KEY (case_id, need)
);
ALTER TABLE referred_needs ENABLE ROW LEVEL SECURITY;
ALTER TABLE referred_needs FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_arrival ON referred_needs FOR SELECT TO PUBLIC USING ((EXISTS ( SELECT
   FROM arrivals a
  WHERE (a.case_id = referred_needs.case_id)
 OFFSET 0)));
CREATE POLICY service_itself ON referred_needs FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- which key recorded which case
CREATE TABLE requests (
    scope uuid NOT NULL,
    key bytea NOT NULL,
    content bytea NOT NULL,
    case_id uuid NOT NULL,
    kept_on date,
    CONSTRAINT requests_pkey PRIMARY KEY (scope, key),
    CONSTRAINT request_key_is_short CHECK (((octet_length(key) >= 1) AND (octet_length(key) <= 200)))
);
CREATE INDEX requests_by_age ON requests USING brin (kept_on) WITH (pages_per_range='16', autosummarize='on');
CREATE INDEX requests_of_case ON requests USING brin (case_id) WITH (pages_per_range='16', autosummarize='on');
ALTER TABLE requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE requests FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON requests FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: what the clock removed, and what a legal hold kept; service only
CREATE TABLE retention_reports (
    report_id uuid NOT NULL,
    rule text NOT NULL,
    removed integer NOT NULL,
    held integer NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    CONSTRAINT retention_reports_pkey PRIMARY KEY (report_id),
    CONSTRAINT report_says_something CHECK (((removed > 0) AND (held >= 0)))
);
ALTER TABLE retention_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON retention_reports FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

-- append-only: who of a list was called as here or absent, in codes
CREATE TABLE roll_calls (
    draft_id uuid NOT NULL,
    upload integer NOT NULL,
    row_number integer NOT NULL,
    version integer NOT NULL,
    voyage_id uuid NOT NULL,
    mark text NOT NULL,
    reason text,
    next_voyage_id uuid,
    sex text,
    age_band text,
    origin_regency text,
    called_by text NOT NULL,
    called_at timestamp with time zone NOT NULL,
    next_draft_id uuid,
    next_row integer,
    CONSTRAINT roll_calls_pkey PRIMARY KEY (draft_id, upload, row_number, version),
    CONSTRAINT roll_calls_draft_id_fkey FOREIGN KEY (draft_id) REFERENCES drafts(draft_id),
    CONSTRAINT roll_calls_next_draft_id_fkey FOREIGN KEY (next_draft_id) REFERENCES drafts(draft_id) DEFERRABLE INITIALLY DEFERRED NOT VALID,
    CONSTRAINT roll_calls_next_voyage_id_fkey FOREIGN KEY (next_voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT roll_calls_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT called_age_band_is_known CHECK ((age_band = ANY (ARRAY['child'::text, 'adult'::text, 'elderly'::text, 'unknown'::text]))),
    CONSTRAINT called_sex_is_known CHECK ((sex = ANY (ARRAY['F'::text, 'M'::text, 'X'::text]))),
    CONSTRAINT only_who_comes_later_stands_on_the_next_list CHECK ((((next_draft_id IS NULL) = (next_row IS NULL)) AND ((next_draft_id IS NULL) OR (next_voyage_id IS NOT NULL)))) NOT VALID,
    CONSTRAINT only_who_rolls_over_comes_later CHECK (((next_voyage_id IS NULL) OR ((reason = 'rolled_over'::text) AND (next_voyage_id <> voyage_id)))),
    CONSTRAINT roll_call_counts_from_one CHECK (((version >= 1) AND (upload >= 1) AND (row_number >= 1))),
    CONSTRAINT roll_call_mark_is_known CHECK ((mark = ANY (ARRAY['here'::text, 'absent'::text, 'open'::text]))),
    CONSTRAINT roll_call_reason_is_known CHECK ((reason = ANY (ARRAY['not_boarded'::text, 'pending_case'::text, 'documents_held'::text, 'ill_abroad'::text, 'rolled_over'::text, 'died_on_the_way'::text, 'other'::text, 'unknown'::text]))),
    CONSTRAINT who_is_absent_has_a_reason CHECK (((mark = 'absent'::text) = (reason IS NOT NULL)))
);
CREATE INDEX roll_calls_of_voyage ON roll_calls USING btree (voyage_id);
CREATE INDEX roll_calls_to_voyage ON roll_calls USING btree (next_voyage_id) WHERE (next_voyage_id IS NOT NULL);
ALTER TABLE roll_calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE roll_calls FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_voyage ON roll_calls FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = roll_calls.voyage_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = roll_calls.voyage_id)
 OFFSET 0)));
CREATE POLICY service_itself ON roll_calls FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- write-once: who was asked, how, and what was decided
CREATE TABLE screenings (
    screening_id uuid NOT NULL,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    questionnaire text NOT NULL,
    sealed bytea NOT NULL,
    proposed text[] NOT NULL,
    added text[] NOT NULL,
    level text NOT NULL,
    score integer NOT NULL,
    decision text NOT NULL,
    reason text,
    place text NOT NULL,
    language text NOT NULL,
    interpreter text NOT NULL,
    alone boolean NOT NULL,
    screened_by text NOT NULL,
    screened_at timestamp with time zone NOT NULL,
    CONSTRAINT screenings_pkey PRIMARY KEY (screening_id),
    CONSTRAINT screening_against_the_indicators_has_a_reason CHECK (((level <> 'indicated'::text) OR (decision = 'indicated'::text) OR (reason IS NOT NULL))),
    CONSTRAINT screening_decision_is_known CHECK ((decision = ANY (ARRAY['indicated'::text, 'not_indicated'::text, 'assess_further'::text, 'not_asked'::text]))),
    CONSTRAINT screening_interpreter_is_known CHECK ((interpreter = ANY (ARRAY['none'::text, 'officer'::text, 'interpreter'::text, 'relative'::text]))),
    CONSTRAINT screening_level_is_known CHECK ((level = ANY (ARRAY['indicated'::text, 'possible'::text, 'none'::text]))),
    CONSTRAINT screening_words_are_short CHECK (((char_length(place) <= 80) AND (char_length(language) <= 40))),
    CONSTRAINT shown_indicators_are_decided_on CHECK (((level = 'none'::text) OR (decision <> 'not_asked'::text)))
);
CREATE INDEX screenings_of_case ON screenings USING btree (case_id, screening_id);
CREATE INDEX screenings_of_person ON screenings USING btree (person_id);
CREATE INDEX screenings_to_assess_further ON screenings USING btree (port, screening_id) WHERE (decision = 'assess_further'::text);
CREATE TRIGGER screening_loses_its_answers_alone BEFORE UPDATE ON screenings FOR EACH ROW EXECUTE FUNCTION screening_loses_its_answers_alone();
ALTER TABLE screenings ENABLE ROW LEVEL SECURITY;
ALTER TABLE screenings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON screenings FOR SELECT TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON screenings FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- what the headings of a sender mean; no name and no heading stands here
CREATE TABLE sender_columns (
    port text NOT NULL,
    sender bytea NOT NULL,
    heading bytea NOT NULL,
    field text NOT NULL,
    said_by text NOT NULL,
    said_at timestamp with time zone NOT NULL,
    CONSTRAINT sender_columns_pkey PRIMARY KEY (port, sender, heading),
    CONSTRAINT sender_digests_have_their_length CHECK (((octet_length(sender) = 16) AND (octet_length(heading) = 16)))
);
ALTER TABLE sender_columns ENABLE ROW LEVEL SECURITY;
ALTER TABLE sender_columns FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON sender_columns FOR ALL TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role))) WITH CHECK (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON sender_columns FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

-- append-only: what was corrected of a voyage, by whom and why
CREATE TABLE voyage_corrections (
    voyage_id uuid NOT NULL,
    version integer NOT NULL,
    was_expected_at timestamp with time zone NOT NULL,
    expected_at timestamp with time zone NOT NULL,
    was_vessel text NOT NULL,
    vessel text NOT NULL,
    was_modality text NOT NULL,
    modality text NOT NULL,
    reason text NOT NULL,
    corrected_by text NOT NULL,
    corrected_at timestamp with time zone NOT NULL,
    CONSTRAINT voyage_corrections_pkey PRIMARY KEY (voyage_id, version),
    CONSTRAINT voyage_corrections_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT voyage_correction_changes_something CHECK ((((was_expected_at IS DISTINCT FROM expected_at) OR (was_vessel IS DISTINCT FROM vessel)) OR (was_modality IS DISTINCT FROM modality))),
    CONSTRAINT voyage_correction_reason_is_known CHECK ((reason = ANY (ARRAY['rescheduled'::text, 'vessel_changed'::text, 'letter_changed'::text, 'recorded_wrongly'::text]))),
    CONSTRAINT voyage_corrections_count_from_the_announcement CHECK ((version > 1))
);
ALTER TABLE voyage_corrections ENABLE ROW LEVEL SECURITY;
ALTER TABLE voyage_corrections FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_voyage ON voyage_corrections FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = voyage_corrections.voyage_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = voyage_corrections.voyage_id)
 OFFSET 0)));
CREATE POLICY service_itself ON voyage_corrections FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- where counts of a voyage differ: who looks after it, and why it is so
CREATE TABLE voyage_differences (
    difference_id uuid NOT NULL,
    voyage_id uuid NOT NULL,
    pair text NOT NULL,
    heads integer NOT NULL,
    owner text NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    reason text,
    next_voyage_id uuid,
    settled_by text,
    settled_at timestamp with time zone,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT voyage_differences_pkey PRIMARY KEY (difference_id),
    CONSTRAINT voyage_differences_next_voyage_id_fkey FOREIGN KEY (next_voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT voyage_differences_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT difference_is_of_somebody CHECK ((heads <> 0)),
    CONSTRAINT difference_pair_is_known CHECK ((pair = ANY (ARRAY['announced_listed'::text, 'announced_arrived'::text, 'handed_arrived'::text, 'counted_arrived'::text, 'listed_arrived'::text]))),
    CONSTRAINT difference_reason_is_known CHECK ((reason = ANY (ARRAY['pending_case'::text, 'bail'::text, 'illness'::text, 'died'::text, 'stayed_behind'::text, 'rolled_over'::text, 'came_without_notice'::text, 'on_another_list'::text, 'counted_twice'::text, 'miscounted'::text, 'collected_at_quay'::text]))),
    CONSTRAINT only_who_rolls_over_comes_with_another_voyage CHECK (((next_voyage_id IS NULL) OR ((reason = 'rolled_over'::text) AND (next_voyage_id <> voyage_id)))),
    CONSTRAINT settled_difference_says_by_whom_when_and_why CHECK ((((settled_at IS NULL) = (settled_by IS NULL)) AND ((settled_at IS NULL) = (reason IS NULL))))
);
CREATE INDEX voyage_differences_of_voyage ON voyage_differences USING btree (voyage_id, difference_id);
CREATE INDEX voyage_differences_that_are_open ON voyage_differences USING btree (difference_id) WHERE (settled_at IS NULL);
CREATE INDEX voyage_differences_that_roll_over ON voyage_differences USING btree (next_voyage_id) WHERE (next_voyage_id IS NOT NULL);
ALTER TABLE voyage_differences ENABLE ROW LEVEL SECURITY;
ALTER TABLE voyage_differences FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_voyage ON voyage_differences FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = voyage_differences.voyage_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = voyage_differences.voyage_id)
 OFFSET 0)));
CREATE POLICY service_itself ON voyage_differences FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- head counts of a voyage by source, apart from who was recorded
CREATE TABLE voyage_totals (
    source_id uuid NOT NULL,
    voyage_id uuid NOT NULL,
    kind text NOT NULL,
    heads integer NOT NULL,
    number text NOT NULL DEFAULT ''::text,
    dated date,
    issued_by text NOT NULL DEFAULT ''::text,
    depot text NOT NULL DEFAULT ''::text,
    parts jsonb NOT NULL DEFAULT '[]'::jsonb,
    recorded_by text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    withdrawn_as text,
    withdrawn_by text,
    withdrawn_at timestamp with time zone,
    CONSTRAINT voyage_totals_pkey PRIMARY KEY (source_id),
    CONSTRAINT voyage_totals_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT totals_are_a_head_count CHECK (((heads >= 0) AND (heads <= 200000))),
    CONSTRAINT totals_are_withdrawn_for_a_known_reason CHECK ((withdrawn_as = ANY (ARRAY['replaced'::text, 'entered_in_error'::text]))),
    CONSTRAINT totals_kind_is_known CHECK ((kind = ANY (ARRAY['letter'::text, 'minutes'::text, 'count'::text]))),
    CONSTRAINT totals_words_are_short CHECK (((char_length(number) <= 80) AND (char_length(issued_by) <= 80) AND (char_length(depot) <= 80))),
    CONSTRAINT withdrawn_totals_say_by_whom_when_and_why CHECK ((((withdrawn_at IS NULL) = (withdrawn_by IS NULL)) AND ((withdrawn_at IS NULL) = (withdrawn_as IS NULL))))
);
CREATE INDEX voyage_totals_of_voyage ON voyage_totals USING btree (voyage_id, source_id);
ALTER TABLE voyage_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE voyage_totals FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_voyage ON voyage_totals FOR ALL TO PUBLIC USING ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = voyage_totals.voyage_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM voyages v
  WHERE (v.voyage_id = voyage_totals.voyage_id)
 OFFSET 0)));
CREATE POLICY service_itself ON voyage_totals FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- write-once: what a consular letter announced, and was corrected since
CREATE TABLE voyages (
    voyage_id uuid NOT NULL,
    port text NOT NULL,
    modality text NOT NULL,
    vessel text NOT NULL,
    announced integer NOT NULL,
    expected_at timestamp with time zone NOT NULL,
    announced_by text NOT NULL,
    announced_at timestamp with time zone NOT NULL,
    version integer NOT NULL DEFAULT 1,
    told_on date,
    CONSTRAINT voyages_pkey PRIMARY KEY (voyage_id),
    CONSTRAINT voyage_announces_a_head_count CHECK (((announced >= 0) AND (announced <= 200000))),
    CONSTRAINT voyage_modality_is_known CHECK ((modality = ANY (ARRAY['deportation'::text, 'repatriation'::text, 'vulnerable_flight'::text]))),
    CONSTRAINT voyage_vessel_is_short CHECK ((char_length(vessel) <= 80))
);
CREATE INDEX voyages_of_port ON voyages USING btree (port, expected_at);
CREATE CONSTRAINT TRIGGER voyage_is_corrected_with_its_history AFTER UPDATE ON voyages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_rewritten_voyage();
ALTER TABLE voyages ENABLE ROW LEVEL SECURITY;
ALTER TABLE voyages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_port ON voyages FOR ALL TO PUBLIC USING (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role))) WITH CHECK (((port = ( SELECT acting_port() AS acting_port)) AND ( SELECT acting_in_role(VARIADIC ARRAY['port_officer'::text, 'port_system'::text]) AS acting_in_role)));
CREATE POLICY service_itself ON voyages FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

CREATE OR REPLACE FUNCTION consent_loses_its_words_alone()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF octet_length(new.sealed) = 0 AND to_jsonb(new) - 'sealed' = to_jsonb(old) - 'sealed' THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'what was recorded of consent % stays: it can only lose its words', old.entry_id
        USING ERRCODE = 'insufficient_privilege';
END $function$;

CREATE OR REPLACE FUNCTION forget_blind_indexes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    DELETE FROM blind_indexes USING erased WHERE blind_indexes.person_id = erased.person_id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION forget_matches()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    DELETE FROM match_keys USING arrivals, erased
    WHERE arrivals.person_id = erased.person_id AND match_keys.case_id = arrivals.case_id;
    DELETE FROM compared_cases USING arrivals, erased
    WHERE arrivals.person_id = erased.person_id AND compared_cases.case_id = arrivals.case_id;
    DELETE FROM possible_matches USING erased WHERE possible_matches.person_id = erased.person_id;
    DELETE FROM possible_matches USING erased WHERE possible_matches.earlier_person_id = erased.person_id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION refuse_adult_made_by_one()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (
        SELECT FROM arrival_corrections AS c
        WHERE c.case_id = NEW.case_id AND c.version = NEW.version AND c.kind = 'age' AND c.became = NEW.age_band
    ) THEN
        RAISE EXCEPTION 'nobody has confirmed that case % is of age', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'child_becomes_adult_by_two_people';
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

CREATE OR REPLACE FUNCTION refuse_rewritten_guardian()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF old.state = 'ended' OR new.version <> old.version + 1 OR new.state = 'proposed'
        OR (new.link_id, new.child_case_id, new.adult_case_id, new.port, new.is_listed, new.proposed_by, new.proposed_at)
        IS DISTINCT FROM (old.link_id, old.child_case_id, old.adult_case_id, old.port, old.is_listed, old.proposed_by, old.proposed_at)
        OR old.relation NOT IN ('not_stated', new.relation)
        OR old.proof NOT IN ('none', new.proof)
        OR (old.state = 'confirmed' AND new.state = 'confirmed') = ((new.relation, new.proof) = (old.relation, old.proof))
        OR (old.state = 'confirmed' AND (new.confirmed_by, new.confirmed_at) IS DISTINCT FROM (old.confirmed_by, old.confirmed_at))
    THEN
        RAISE EXCEPTION 'the history of link % is not rewritten', old.link_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'guardian_link_is_not_rewritten';
    END IF;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION refuse_rewritten_membership()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF old.parted_at IS NOT NULL
        OR (new.household_id, new.case_id, new.port, new.joined_as, new.joined_by, new.joined_at)
        IS DISTINCT FROM (old.household_id, old.case_id, old.port, old.joined_as, old.joined_by, old.joined_at)
    THEN
        RAISE EXCEPTION 'the history of household % is not rewritten', old.household_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_is_not_rewritten';
    END IF;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION refuse_rewritten_voyage()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF (new.voyage_id, new.port, new.announced, new.announced_by, new.announced_at)
        IS DISTINCT FROM (old.voyage_id, old.port, old.announced, old.announced_by, old.announced_at)
        OR (old.told_on IS NOT NULL AND new.told_on IS DISTINCT FROM old.told_on)
        OR NOT EXISTS (
            SELECT FROM voyage_corrections AS c
            WHERE c.voyage_id = new.voyage_id AND c.version = new.version AND new.version = old.version + 1
            AND (c.was_expected_at, c.was_vessel, c.was_modality, c.expected_at, c.vessel, c.modality)
            = (old.expected_at, old.vessel, old.modality, new.expected_at, new.vessel, new.modality)
        )
    THEN
        RAISE EXCEPTION 'voyage % is corrected with its history alone', new.voyage_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'voyage_is_corrected_with_its_history';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION screening_loses_its_answers_alone()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF octet_length(new.sealed) = 0 AND (new.place, new.language) IN ((old.place, old.language), ('', ''))
        AND to_jsonb(new) - '{sealed,place,language}'::text[] = to_jsonb(old) - '{sealed,place,language}'::text[] THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'screening % stays as it was kept: it can only lose its answers', old.screening_id
        USING ERRCODE = 'insufficient_privilege';
END $function$;
