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

-- append-only: each time a notice was sent, and what came back
CREATE TABLE attempts (
    delivery_id uuid NOT NULL,
    number smallint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ms integer NOT NULL,
    status smallint,
    trouble text,
    response bytea NOT NULL,
    CONSTRAINT attempts_pkey PRIMARY KEY (delivery_id, number),
    CONSTRAINT attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries(delivery_id),
    CONSTRAINT attempt_counts_from_one CHECK ((number >= 1)),
    CONSTRAINT attempt_keeps_four_kibibytes CHECK ((octet_length(response) <= 4096)),
    CONSTRAINT attempt_was_answered_or_has_trouble CHECK (((status IS NOT NULL) OR (trouble IS NOT NULL)))
);
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY of_delivery ON attempts FOR SELECT TO PUBLIC USING ((EXISTS ( SELECT
   FROM deliveries d
  WHERE (d.delivery_id = attempts.delivery_id)
 OFFSET 0)));
CREATE POLICY service_itself ON attempts FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE circuits (
    subscription_id uuid NOT NULL,
    trusted boolean NOT NULL DEFAULT false,
    claim_window smallint NOT NULL DEFAULT 4,
    consecutive_failures integer NOT NULL DEFAULT 0,
    open_until timestamp with time zone,
    mean_ms real,
    claimed_at timestamp with time zone,
    delivered bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    last_delivered_at timestamp with time zone,
    last_failed_at timestamp with time zone,
    last_trouble text,
    last_status smallint,
    CONSTRAINT circuits_pkey PRIMARY KEY (subscription_id),
    CONSTRAINT circuits_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(subscription_id),
    CONSTRAINT circuit_failures_are_counted CHECK ((consecutive_failures >= 0)),
    CONSTRAINT circuit_window_is_bounded CHECK (((claim_window >= 1) AND (claim_window <= 128)))
);
ALTER TABLE circuits ENABLE ROW LEVEL SECURITY;
ALTER TABLE circuits FORCE ROW LEVEL SECURITY;
CREATE POLICY of_subscription ON circuits FOR SELECT TO PUBLIC USING ((EXISTS ( SELECT
   FROM subscriptions s
  WHERE (s.subscription_id = circuits.subscription_id)
 OFFSET 0)));
CREATE POLICY of_subscription_changed ON circuits FOR UPDATE TO PUBLIC USING ((EXISTS ( SELECT
   FROM subscriptions s
  WHERE (s.subscription_id = circuits.subscription_id)
 OFFSET 0))) WITH CHECK ((EXISTS ( SELECT
   FROM subscriptions s
  WHERE (s.subscription_id = circuits.subscription_id)
 OFFSET 0)));
CREATE POLICY service_itself ON circuits FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE deliveries (
    delivery_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    organisation text NOT NULL,
    test boolean NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    case_id uuid NOT NULL,
    need text,
    province text,
    body bytea NOT NULL,
    traceparent text,
    status text NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    step smallint NOT NULL DEFAULT 0,
    replays smallint NOT NULL DEFAULT 0,
    created_at timestamp with time zone NOT NULL,
    queued_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone,
    lease_until timestamp with time zone,
    ended_at timestamp with time zone,
    trouble text,
    http_status smallint,
    suppressed_because text,
    CONSTRAINT deliveries_pkey PRIMARY KEY (delivery_id),
    CONSTRAINT delivery_once_per_event UNIQUE (subscription_id, event_id),
    CONSTRAINT deliveries_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(subscription_id),
    CONSTRAINT delivery_in_hand_is_leased CHECK (((status = 'sending'::text) = (lease_until IS NOT NULL))),
    CONSTRAINT delivery_status_is_known CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'retry_wait'::text, 'delivered'::text, 'dead_lettered'::text, 'suppressed'::text, 'expired'::text]))),
    CONSTRAINT ended_delivery_has_end CHECK (((status = ANY (ARRAY['delivered'::text, 'dead_lettered'::text, 'suppressed'::text, 'expired'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT notice_is_small CHECK (((octet_length(body) >= 2) AND (octet_length(body) <= 2048))),
    CONSTRAINT suppressed_notice_says_why CHECK (((status <> 'suppressed'::text) OR (suppressed_because IS NOT NULL))) NOT VALID,
    CONSTRAINT suppression_reason_is_known CHECK ((suppressed_because = ANY (ARRAY['subscription_ended'::text, 'consent_withdrawn'::text, 'restricted'::text]))) NOT VALID,
    CONSTRAINT waiting_delivery_has_next_attempt CHECK (((status = ANY (ARRAY['queued'::text, 'sending'::text, 'retry_wait'::text])) = (next_attempt_at IS NOT NULL)))
);
CREATE INDEX deliveries_due ON deliveries USING btree (subscription_id, COALESCE(lease_until, next_attempt_at)) WHERE (status = ANY (ARRAY['queued'::text, 'sending'::text, 'retry_wait'::text]));
CREATE INDEX deliveries_in_hand ON deliveries USING btree (subscription_id) WHERE (status = 'sending'::text);
CREATE INDEX deliveries_of_case ON deliveries USING btree (case_id);
CREATE INDEX deliveries_of_subscription ON deliveries USING btree (subscription_id, delivery_id);
CREATE INDEX deliveries_waiting_since ON deliveries USING btree (queued_at) WHERE (status = ANY (ARRAY['queued'::text, 'sending'::text, 'retry_wait'::text]));
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY changed ON deliveries FOR UPDATE TO PUBLIC USING (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator))) WITH CHECK (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator)));
CREATE POLICY seen ON deliveries FOR SELECT TO PUBLIC USING (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator)));
CREATE POLICY service_itself ON deliveries FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE heard_counts (
    hour timestamp with time zone NOT NULL,
    event_type text NOT NULL,
    province text NOT NULL,
    need text NOT NULL,
    heard integer NOT NULL,
    CONSTRAINT heard_counts_pkey PRIMARY KEY (hour, event_type, province, need)
);
ALTER TABLE heard_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON heard_counts FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));
CREATE POLICY subscribers ON heard_counts FOR SELECT TO PUBLIC USING (( SELECT acting_in_role(VARIADIC ARRAY['ngo_member'::text, 'ngo_system'::text]) AS acting_in_role));

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

CREATE TABLE laws (
    basis_id uuid NOT NULL,
    need text NOT NULL,
    case_id uuid NOT NULL,
    recipient_class text NOT NULL,
    has_ended boolean NOT NULL,
    CONSTRAINT laws_pkey PRIMARY KEY (basis_id, need),
    CONSTRAINT law_is_for_who_is_told_by_consent CHECK ((recipient_class = ANY (ARRAY['civil_society'::text, 'international'::text])))
);
CREATE INDEX laws_that_stand ON laws USING btree (case_id, recipient_class) WHERE (NOT has_ended);
ALTER TABLE laws ENABLE ROW LEVEL SECURITY;
ALTER TABLE laws FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON laws FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

CREATE TABLE restricted_needs (
    case_id uuid NOT NULL,
    need text NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT restricted_needs_pkey PRIMARY KEY (case_id, need)
);
CREATE INDEX restricted_needs_since ON restricted_needs USING btree (since);
ALTER TABLE restricted_needs ENABLE ROW LEVEL SECURITY;
ALTER TABLE restricted_needs FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON restricted_needs FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

CREATE TABLE stops (
    case_id uuid NOT NULL,
    recipient_class text NOT NULL,
    need text NOT NULL,
    seq integer NOT NULL,
    stopped boolean NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT stops_pkey PRIMARY KEY (case_id, recipient_class, need),
    CONSTRAINT stop_is_for_who_is_told_by_consent CHECK ((recipient_class = ANY (ARRAY['civil_society'::text, 'international'::text])))
);
CREATE INDEX stops_since ON stops USING btree (since);
ALTER TABLE stops ENABLE ROW LEVEL SECURITY;
ALTER TABLE stops FORCE ROW LEVEL SECURITY;
CREATE POLICY service_itself ON stops FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE subscriptions (
    subscription_id uuid NOT NULL,
    organisation text NOT NULL,
    name text NOT NULL,
    channel text NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    provinces text[] NOT NULL,
    needs text[] NOT NULL,
    secret bytea NOT NULL,
    status text NOT NULL,
    paused_because text,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT subscriptions_pkey PRIMARY KEY (subscription_id),
    CONSTRAINT ended_subscription_has_end CHECK (((status = 'ended'::text) = (ended_at IS NOT NULL))),
    CONSTRAINT paused_subscription_has_reason CHECK (((status = 'paused'::text) = (paused_because IS NOT NULL))),
    CONSTRAINT subscription_channel_is_known CHECK ((channel = 'webhook'::text)),
    CONSTRAINT subscription_name_is_short CHECK (((char_length(name) >= 1) AND (char_length(name) <= 80))),
    CONSTRAINT subscription_pause_reason_is_known CHECK ((paused_because = ANY (ARRAY['by_subscriber'::text, 'gone'::text]))),
    CONSTRAINT subscription_status_is_known CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'ended'::text]))),
    CONSTRAINT subscription_url_is_short CHECK (((char_length(url) >= 8) AND (char_length(url) <= 1000)))
);
CREATE INDEX subscriptions_of_organisation ON subscriptions USING btree (organisation, created_at);
ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;
CREATE POLICY changed ON subscriptions FOR UPDATE TO PUBLIC USING (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator))) WITH CHECK (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator)));
CREATE POLICY made ON subscriptions FOR INSERT TO PUBLIC WITH CHECK ((organisation = ( SELECT acting_subscriber() AS acting_subscriber)));
CREATE POLICY seen ON subscriptions FOR SELECT TO PUBLIC USING (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator)));
CREATE POLICY service_itself ON subscriptions FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

CREATE TABLE tasks (
    task_id uuid NOT NULL,
    kind text NOT NULL,
    organisation text NOT NULL,
    subscription_id uuid NOT NULL,
    delivery_id uuid,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    closed_because text,
    CONSTRAINT tasks_pkey PRIMARY KEY (task_id),
    CONSTRAINT tasks_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries(delivery_id),
    CONSTRAINT tasks_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(subscription_id),
    CONSTRAINT closed_task_has_reason CHECK (((closed_at IS NULL) = (closed_because IS NULL))),
    CONSTRAINT dead_letter_task_names_its_notice CHECK (((kind <> 'dead_letter'::text) OR (delivery_id IS NOT NULL))),
    CONSTRAINT task_close_reason_is_known CHECK ((closed_because = ANY (ARRAY['replayed'::text, 'resumed'::text, 'ended'::text, 'dismissed'::text]))),
    CONSTRAINT task_kind_is_known CHECK ((kind = ANY (ARRAY['dead_letter'::text, 'subscriber_gone'::text])))
);
CREATE UNIQUE INDEX one_open_task_per_notice ON tasks USING btree (delivery_id) WHERE (closed_at IS NULL);
CREATE INDEX tasks_open ON tasks USING btree (organisation, task_id) WHERE (closed_at IS NULL);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY changed ON tasks FOR UPDATE TO PUBLIC USING (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator))) WITH CHECK (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator)));
CREATE POLICY seen ON tasks FOR SELECT TO PUBLIC USING (((organisation = ( SELECT acting_subscriber() AS acting_subscriber)) OR ( SELECT acting_operator() AS acting_operator)));
CREATE POLICY service_itself ON tasks FOR ALL TO PUBLIC USING (( SELECT acting_as_service() AS acting_as_service)) WITH CHECK (( SELECT acting_as_service() AS acting_as_service));

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

CREATE OR REPLACE FUNCTION acting_operator()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (acting_in_role(VARIADIC ARRAY['operator'::text]) AND (NOT acting_in_role(VARIADIC ARRAY['ngo_member'::text, 'ngo_system'::text])));

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

CREATE OR REPLACE FUNCTION acting_subscriber()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN CASE WHEN acting_in_role(VARIADIC ARRAY['ngo_member'::text, 'ngo_system'::text]) THEN acting_organisation() ELSE NULL::text END;

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is append-only', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END $function$;
