SET LOCAL lock_timeout = '5s';

-- Every change of state and every read of a person's data is one row here, in the same transaction.
-- The row is the event, the audit record and the outbox entry; `payload` holds the exact bytes sent and hashed.
CREATE TABLE journal (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    shared boolean NOT NULL,
    type text NOT NULL,
    case_id uuid NOT NULL,
    case_seq integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    traceparent text,
    payload bytea NOT NULL,
    CONSTRAINT journal_is_dense_per_case UNIQUE (case_id, case_seq),
    CONSTRAINT journal_counts_from_one CHECK (case_seq >= 1),
    CONSTRAINT journal_row_fits_a_record CHECK (octet_length(payload) <= 200000)
);
COMMENT ON TABLE journal IS 'append-only: what happened, who, why; never changed, never deleted';
COMMENT ON COLUMN journal.shared IS 'true: <service>.events, for all; false: <service>.audit, for audit alone';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is append-only', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_is_never_truncated BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Pointers to journal rows that Kafka has not acknowledged yet.
CREATE TABLE outbox (
    position bigint PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Which events a consumer has had its effect of. Ids stay as long as an event can be replayed: for ever.
CREATE TABLE inbox (
    event_id uuid NOT NULL,
    consumer text NOT NULL,
    PRIMARY KEY (event_id, consumer)
);
COMMENT ON TABLE inbox IS 'append-only: one row per event and consumer that took effect';

-- Records that a consumer could not digest, for a person to look at. Later records of the same case wait
-- behind them.
CREATE TABLE parked (
    parked_id uuid PRIMARY KEY,
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
    parked_at timestamptz NOT NULL,
    released_at timestamptz,
    discarded_at timestamptz,
    discard_reason text,
    CONSTRAINT parked_reason_is_known CHECK (reason IN ('unreadable', 'failed', 'behind')),
    CONSTRAINT parked_ends_once CHECK (released_at IS NULL OR discarded_at IS NULL),
    CONSTRAINT discarded_has_reason CHECK ((discarded_at IS NULL) = (discard_reason IS NULL)),
    CONSTRAINT parked_record_once UNIQUE (consumer, topic, kafka_partition, kafka_offset)
);
CREATE INDEX parked_by_case ON parked (consumer, case_id) WHERE released_at IS NULL AND discarded_at IS NULL;

CREATE VIEW waiting AS
SELECT * FROM parked WHERE released_at IS NULL AND discarded_at IS NULL;

-- First answers to writes, by the client's key, so that the same key answers the same.
CREATE TABLE answers (
    actor text NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    status smallint NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (actor, key)
);
COMMENT ON TABLE answers IS 'append-only: the first answer to each keyed write';
