SET LOCAL lock_timeout = '5s';

-- Who asked to be told, of what, and where. Empty filter arrays mean "all".
CREATE TABLE subscriptions (
    subscription_id uuid PRIMARY KEY,
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
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT subscription_channel_is_known CHECK (channel IN ('webhook')),
    CONSTRAINT subscription_status_is_known CHECK (status IN ('active', 'paused', 'ended')),
    CONSTRAINT paused_subscription_has_reason CHECK ((status = 'paused') = (paused_because IS NOT NULL)),
    CONSTRAINT subscription_pause_reason_is_known CHECK (paused_because IN ('by_subscriber', 'gone')),
    CONSTRAINT ended_subscription_has_end CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
    CONSTRAINT subscription_name_is_short CHECK (char_length(name) BETWEEN 1 AND 80),
    CONSTRAINT subscription_url_is_short CHECK (char_length(url) BETWEEN 8 AND 1000)
);
COMMENT ON COLUMN subscriptions.secret IS 'signing key, sealed by AES-256-GCM; never leaves this service again';
CREATE INDEX subscriptions_of_organisation ON subscriptions (organisation, created_at);

-- How each subscriber's server has been answering: one small row beside the subscription, so that every replica
-- sees the same circuit. `claim_window` is how many notices may be on their way at once.
CREATE TABLE circuits (
    subscription_id uuid PRIMARY KEY REFERENCES subscriptions,
    trusted boolean NOT NULL DEFAULT FALSE,
    claim_window smallint NOT NULL DEFAULT 4,
    consecutive_failures integer NOT NULL DEFAULT 0,
    open_until timestamptz,
    mean_ms real,
    claimed_at timestamptz,
    delivered bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    last_delivered_at timestamptz,
    last_failed_at timestamptz,
    last_trouble text,
    last_status smallint,
    CONSTRAINT circuit_window_is_bounded CHECK (claim_window BETWEEN 1 AND 128),
    CONSTRAINT circuit_failures_are_counted CHECK (consecutive_failures >= 0)
) WITH (fillfactor = 50);

-- One notice to one subscriber. The id is the webhook id of every attempt, the body the bytes of every attempt.
CREATE TABLE deliveries (
    delivery_id uuid PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES subscriptions,
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
    created_at timestamptz NOT NULL,
    queued_at timestamptz NOT NULL,
    next_attempt_at timestamptz,
    lease_until timestamptz,
    ended_at timestamptz,
    trouble text,
    http_status smallint,
    CONSTRAINT delivery_once_per_event UNIQUE (subscription_id, event_id),
    CONSTRAINT delivery_status_is_known CHECK (
        status IN ('queued', 'sending', 'retry_wait', 'delivered', 'dead_lettered', 'suppressed', 'expired')
    ),
    CONSTRAINT delivery_in_hand_is_leased CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT waiting_delivery_has_next_attempt CHECK (
        (status IN ('queued', 'sending', 'retry_wait')) = (next_attempt_at IS NOT NULL)
    ),
    CONSTRAINT ended_delivery_has_end CHECK (
        (status IN ('delivered', 'dead_lettered', 'suppressed', 'expired')) = (ended_at IS NOT NULL)
    ),
    CONSTRAINT notice_is_small CHECK (octet_length(body) BETWEEN 2 AND 2048)
);
COMMENT ON COLUMN deliveries.step IS 'place in the retry schedule since it was last queued; attempts counts all';
COMMENT ON COLUMN deliveries.lease_until IS 'until then the claimer may send; after it anybody may, with the same id';

-- What the clock may take: by due time, or by the end of a lease whose holder did not come back.
CREATE INDEX deliveries_due ON deliveries (subscription_id, coalesce(lease_until, next_attempt_at))
    WHERE status IN ('queued', 'sending', 'retry_wait');
CREATE INDEX deliveries_in_hand ON deliveries (subscription_id) WHERE status = 'sending';
CREATE INDEX deliveries_waiting_since ON deliveries (queued_at) WHERE status IN ('queued', 'sending', 'retry_wait');
CREATE INDEX deliveries_of_subscription ON deliveries (subscription_id, delivery_id);

CREATE TABLE attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries,
    number smallint NOT NULL,
    started_at timestamptz NOT NULL,
    ms integer NOT NULL,
    status smallint,
    trouble text,
    response bytea NOT NULL,
    PRIMARY KEY (delivery_id, number),
    CONSTRAINT attempt_counts_from_one CHECK (number >= 1),
    CONSTRAINT attempt_was_answered_or_has_trouble CHECK (status IS NOT NULL OR trouble IS NOT NULL),
    CONSTRAINT attempt_keeps_four_kibibytes CHECK (octet_length(response) <= 4096)
);
COMMENT ON TABLE attempts IS 'append-only: each time a notice was sent, and what came back';

-- What a person has to do: a notice whose attempts ended, a subscriber that said it is gone.
CREATE TABLE tasks (
    task_id uuid PRIMARY KEY,
    kind text NOT NULL,
    organisation text NOT NULL,
    subscription_id uuid NOT NULL REFERENCES subscriptions,
    delivery_id uuid REFERENCES deliveries,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_because text,
    CONSTRAINT task_kind_is_known CHECK (kind IN ('dead_letter', 'subscriber_gone')),
    CONSTRAINT dead_letter_task_names_its_notice CHECK (kind <> 'dead_letter' OR delivery_id IS NOT NULL),
    CONSTRAINT closed_task_has_reason CHECK ((closed_at IS NULL) = (closed_because IS NULL)),
    CONSTRAINT task_close_reason_is_known CHECK (closed_because IN ('replayed', 'resumed', 'ended', 'dismissed'))
);
CREATE UNIQUE INDEX one_open_task_per_notice ON tasks (delivery_id) WHERE closed_at IS NULL;
CREATE INDEX tasks_open ON tasks (organisation, task_id) WHERE closed_at IS NULL;

-- How many facts of each kind were heard, by hour: tells somebody who writes a filter how much it will match.
CREATE TABLE heard_counts (
    hour timestamptz NOT NULL,
    event_type text NOT NULL,
    province text NOT NULL,
    need text NOT NULL,
    heard integer NOT NULL,
    PRIMARY KEY (hour, event_type, province, need)
) WITH (fillfactor = 50);
