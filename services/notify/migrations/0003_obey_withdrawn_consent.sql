SET LOCAL lock_timeout = '5s';

-- Whether a person lets organisations of a class be told of a case, as it was said last: of one need, or of all of them
-- ('*'). Where nobody has said anything there is no row.
CREATE TABLE stops (
    case_id uuid NOT NULL,
    recipient_class text NOT NULL,
    need text NOT NULL,
    seq integer NOT NULL,
    stopped boolean NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (case_id, recipient_class, need),
    CONSTRAINT stop_is_for_who_is_told_by_consent CHECK (recipient_class IN ('civil_society', 'international'))
);
CREATE INDEX stops_since ON stops (since);

ALTER TABLE deliveries ADD COLUMN suppressed_because text;
UPDATE deliveries SET suppressed_because = 'subscription_ended' WHERE status = 'suppressed';
ALTER TABLE deliveries
ADD CONSTRAINT suppressed_notice_says_why CHECK (
    status <> 'suppressed' OR suppressed_because IS NOT NULL
) NOT VALID,
ADD CONSTRAINT suppression_reason_is_known CHECK (
    suppressed_because IN ('subscription_ended', 'consent_withdrawn')
) NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX deliveries_of_case ON deliveries (case_id);
