-- Generated from the migrations by `make schema`; do not edit.

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
    CONSTRAINT arrivals_pkey PRIMARY KEY (case_id),
    CONSTRAINT arrival_age_band_is_known CHECK ((age_band = ANY (ARRAY['child'::text, 'adult'::text, 'elderly'::text, 'unknown'::text]))),
    CONSTRAINT arrival_channel_is_known CHECK ((channel = ANY (ARRAY['single'::text, 'batch'::text, 'manifest'::text]))),
    CONSTRAINT arrival_has_a_need CHECK (('NEED'::text = ANY (needs))),
    CONSTRAINT arrival_sex_is_known CHECK ((sex = ANY (ARRAY['F'::text, 'M'::text, 'X'::text]))),
    CONSTRAINT child_has_a_child_need CHECK (((age_band <> ALL (ARRAY['child'::text, 'unknown'::text])) OR (needs && ARRAY['UAC'::text, 'CHILD'::text]))),
    CONSTRAINT manifest_arrival_names_its_row CHECK (((channel = 'manifest'::text) = ((manifest_id IS NOT NULL) AND (manifest_row IS NOT NULL)))),
    CONSTRAINT nobody_arrives_in_the_future CHECK ((arrived_at <= (recorded_at + '00:05:00'::interval)))
);
CREATE INDEX arrivals_of_voyage ON arrivals USING btree (voyage_id, case_id);

CREATE TABLE blind_indexes (
    person_id uuid NOT NULL,
    kind text NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT blind_indexes_pkey PRIMARY KEY (person_id, kind),
    CONSTRAINT blind_index_has_its_length CHECK ((octet_length(digest) = 16)),
    CONSTRAINT blind_index_kind_is_known CHECK ((kind = ANY (ARRAY['nik'::text, 'document'::text])))
);
CREATE INDEX blind_indexes_by_digest ON blind_indexes USING hash (digest);

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

CREATE TABLE held_rows (
    manifest_id uuid NOT NULL,
    row_number integer NOT NULL,
    voyage_id uuid NOT NULL,
    said text[] NOT NULL,
    mark bytea NOT NULL,
    settled_by uuid,
    settled_at timestamp with time zone,
    CONSTRAINT held_rows_pkey PRIMARY KEY (manifest_id, row_number),
    CONSTRAINT held_rows_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(manifest_id),
    CONSTRAINT held_rows_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES manifests(manifest_id),
    CONSTRAINT held_rows_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT held_row_has_a_mark_of_what_it_said CHECK ((octet_length(mark) = 16)),
    CONSTRAINT held_row_is_settled_by_a_later_list CHECK ((settled_by > manifest_id)),
    CONSTRAINT row_settled_by_a_list_has_its_time CHECK (((settled_by IS NULL) OR (settled_at IS NOT NULL)))
);
CREATE INDEX held_rows_of_voyage ON held_rows USING btree (voyage_id, manifest_id);

-- append-only: one row per event and consumer that took effect
CREATE TABLE inbox (
    event_id uuid NOT NULL,
    consumer text NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (event_id, consumer)
);

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

-- append-only: what was wrong with the rows of a list that were held back
CREATE TABLE manifest_problems (
    manifest_id uuid NOT NULL,
    row_number integer NOT NULL,
    field text NOT NULL,
    code text NOT NULL,
    CONSTRAINT manifest_problems_pkey PRIMARY KEY (manifest_id, row_number, field, code),
    CONSTRAINT manifest_problems_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(manifest_id)
);

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
    CONSTRAINT manifests_pkey PRIMARY KEY (manifest_id),
    CONSTRAINT manifest_file_is_taken_once UNIQUE (voyage_id, file_digest),
    CONSTRAINT manifests_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES manifests(manifest_id),
    CONSTRAINT manifests_voyage_id_fkey FOREIGN KEY (voyage_id) REFERENCES voyages(voyage_id),
    CONSTRAINT finished_manifest_is_counted CHECK ((((finished_at IS NULL) = (accepted IS NULL)) AND ((finished_at IS NULL) = (known IS NULL)))),
    CONSTRAINT manifest_counts_add_up CHECK ((listed = ((accepted + rejected) + known))),
    CONSTRAINT manifest_counts_are_not_negative CHECK (((listed >= 0) AND (rejected >= 0) AND (accepted >= 0) AND (known >= 0))),
    CONSTRAINT manifest_is_not_its_own_successor CHECK ((superseded_by <> manifest_id))
);

CREATE TABLE outbox (
    position bigint NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY ("position")
);

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
    CONSTRAINT parked_pkey PRIMARY KEY (parked_id),
    CONSTRAINT parked_record_once UNIQUE (consumer, topic, kafka_partition, kafka_offset),
    CONSTRAINT discarded_has_reason CHECK (((discarded_at IS NULL) = (discard_reason IS NULL))),
    CONSTRAINT parked_ends_once CHECK (((released_at IS NULL) OR (discarded_at IS NULL))),
    CONSTRAINT parked_reason_is_known CHECK ((reason = ANY (ARRAY['unreadable'::text, 'failed'::text, 'behind'::text])))
);
CREATE INDEX parked_by_case ON parked USING btree (consumer, case_id) WHERE ((released_at IS NULL) AND (discarded_at IS NULL));

CREATE TABLE person_keys (
    person_id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    CONSTRAINT person_keys_pkey PRIMARY KEY (person_id),
    CONSTRAINT wrapped_key_has_its_length CHECK ((octet_length(wrapped_key) = 64))
);
CREATE TRIGGER blind_indexes_end_with_the_key AFTER DELETE ON person_keys REFERENCING OLD TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION forget_blind_indexes();

-- append-only: needs that referral has taken up
CREATE TABLE referred_needs (
    case_id uuid NOT NULL,
    need text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    CONSTRAINT referred_needs_pkey PRIMARY KEY (case_id, need)
);

-- append-only: which key recorded which case
CREATE TABLE requests (
    scope uuid NOT NULL,
    key bytea NOT NULL,
    content bytea NOT NULL,
    case_id uuid NOT NULL,
    CONSTRAINT requests_pkey PRIMARY KEY (scope, key),
    CONSTRAINT request_key_is_short CHECK (((octet_length(key) >= 1) AND (octet_length(key) <= 200)))
);

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
    CONSTRAINT sessions_pkey PRIMARY KEY (session_hash),
    CONSTRAINT session_ends_after_it_began CHECK ((expires_at > signed_in_at)),
    CONSTRAINT session_hash_is_a_sha256 CHECK ((octet_length(session_hash) = 32))
);
CREATE INDEX sessions_by_end ON sessions USING btree (expires_at);

-- append-only: what a consular letter announced
CREATE TABLE voyages (
    voyage_id uuid NOT NULL,
    port text NOT NULL,
    modality text NOT NULL,
    vessel text NOT NULL,
    announced integer NOT NULL,
    expected_at timestamp with time zone NOT NULL,
    announced_by text NOT NULL,
    announced_at timestamp with time zone NOT NULL,
    CONSTRAINT voyages_pkey PRIMARY KEY (voyage_id),
    CONSTRAINT voyage_announces_a_head_count CHECK (((announced >= 0) AND (announced <= 200000))),
    CONSTRAINT voyage_modality_is_known CHECK ((modality = ANY (ARRAY['deportation'::text, 'repatriation'::text, 'vulnerable_flight'::text]))),
    CONSTRAINT voyage_vessel_is_short CHECK ((char_length(vessel) <= 80))
);
CREATE INDEX voyages_of_port ON voyages USING btree (port, expected_at);

CREATE VIEW waiting AS
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
    parked.discard_reason
   FROM parked
  WHERE ((parked.released_at IS NULL) AND (parked.discarded_at IS NULL));

CREATE OR REPLACE FUNCTION forget_blind_indexes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    DELETE FROM blind_indexes USING erased WHERE blind_indexes.person_id = erased.person_id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is append-only', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END $function$;
