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
ALTER TABLE answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE answers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_answers ON answers FOR ALL TO PUBLIC USING ((actor = ( SELECT acting_id() AS acting_id))) WITH CHECK ((actor = ( SELECT acting_id() AS acting_id)));
CREATE POLICY service_itself ON answers FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

-- append-only: signed statements about the tree; never changed, never deleted
CREATE TABLE checkpoints (
    tree_size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    verifier_key text NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT size_has_one_root PRIMARY KEY (tree_size),
    CONSTRAINT root_is_sha256 CHECK ((octet_length(root) = 32)),
    CONSTRAINT tree_is_not_smaller_than_empty CHECK ((tree_size >= 0))
);
CREATE TRIGGER checkpoint_is_append_only BEFORE DELETE OR UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoints_are_never_truncated BEFORE TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY readers ON checkpoints FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['auditor'::text, 'data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY service_itself ON checkpoints FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

-- write-once: what reached the ledger; only salt and payload can be taken away
CREATE TABLE leaves (
    leaf_index bigint NOT NULL,
    event_id uuid NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    case_id uuid NOT NULL,
    case_seq integer NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    commitment bytea NOT NULL,
    leaf_hash bytea NOT NULL,
    salt bytea,
    payload bytea,
    received_at timestamp with time zone NOT NULL,
    redacted_at timestamp with time zone,
    CONSTRAINT leaf_has_one_place PRIMARY KEY (leaf_index),
    CONSTRAINT event_is_one_leaf UNIQUE (event_id),
    CONSTRAINT commitment_is_sha256 CHECK ((octet_length(commitment) = 32)),
    CONSTRAINT leaf_hash_is_sha256 CHECK ((octet_length(leaf_hash) = 32)),
    CONSTRAINT leaves_count_from_zero CHECK ((leaf_index >= 0)),
    CONSTRAINT opened_or_redacted CHECK ((((salt IS NULL) = (payload IS NULL)) AND ((payload IS NULL) = (redacted_at IS NOT NULL)))),
    CONSTRAINT rows_of_a_case_count_from_one CHECK ((case_seq >= 1)),
    CONSTRAINT salt_is_long CHECK ((octet_length(salt) = 32))
);
CREATE INDEX leaves_by_case ON leaves USING btree (case_id, source, case_seq);
CREATE INDEX leaves_by_code ON leaves USING btree ("right"((case_id)::text, 10)) WHERE (case_seq = 1);
CREATE TRIGGER leaf_changes_only_by_redaction BEFORE UPDATE ON leaves FOR EACH ROW EXECUTE FUNCTION leaf_changes_only_by_redaction();
CREATE TRIGGER leaf_is_never_deleted BEFORE DELETE ON leaves FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER leaves_are_never_truncated BEFORE TRUNCATE ON leaves FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE leaves ENABLE ROW LEVEL SECURITY;
ALTER TABLE leaves FORCE ROW LEVEL SECURITY;
CREATE POLICY readers ON leaves FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['auditor'::text, 'data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY service_itself ON leaves FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

-- write-once: hashes of the tree; a tile only grows at its end
CREATE TABLE tiles (
    level smallint NOT NULL,
    tile_index bigint NOT NULL,
    hashes bytea NOT NULL,
    CONSTRAINT tile_has_one_place PRIMARY KEY (level, tile_index),
    CONSTRAINT tile_holds_1_to_256_hashes CHECK ((((octet_length(hashes) >= 32) AND (octet_length(hashes) <= 8192)) AND ((octet_length(hashes) % 32) = 0))),
    CONSTRAINT tile_place_is_in_a_tree CHECK ((((level >= 0) AND (level <= 7)) AND (tile_index >= 0)))
);
CREATE TRIGGER tile_is_never_deleted BEFORE DELETE ON tiles FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tiles FOR EACH ROW EXECUTE FUNCTION tile_only_grows();
CREATE TRIGGER tiles_are_never_truncated BEFORE TRUNCATE ON tiles FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE tiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE tiles FORCE ROW LEVEL SECURITY;
CREATE POLICY readers ON tiles FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['auditor'::text, 'data_protection_officer'::text]) AS acting_in_role));
CREATE POLICY service_itself ON tiles FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

CREATE OR REPLACE FUNCTION leaf_changes_only_by_redaction()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF new.redacted_at IS NOT NULL AND old.redacted_at IS NULL
        AND (to_jsonb(new) - ARRAY['salt', 'payload', 'redacted_at'])
            = (to_jsonb(old) - ARRAY['salt', 'payload', 'redacted_at'])
    THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'leaf % is in the ledger: it can only be redacted', old.leaf_index
        USING ERRCODE = 'insufficient_privilege';
END $function$;

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is append-only', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END $function$;

CREATE OR REPLACE FUNCTION tile_only_grows()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF (new.level, new.tile_index) = (old.level, old.tile_index)
        AND octet_length(new.hashes) > octet_length(old.hashes)
        AND substring(new.hashes FROM 1 FOR octet_length(old.hashes)) = old.hashes
    THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'tile %/% is in the ledger: it can only grow at its end', old.level, old.tile_index
        USING ERRCODE = 'insufficient_privilege';
END $function$;
