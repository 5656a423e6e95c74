SET LOCAL lock_timeout = '5s';

-- Needs that subscribers had been told of, or were to be, and that the case team alone may know by now.
CREATE TABLE restricted_needs (
    case_id uuid NOT NULL,
    need text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (case_id, need)
);
CREATE INDEX restricted_needs_since ON restricted_needs (since);

-- squawk-ignore ban-drop-constraint
ALTER TABLE deliveries DROP CONSTRAINT suppression_reason_is_known,
ADD CONSTRAINT suppression_reason_is_known CHECK (
    suppressed_because IN ('subscription_ended', 'consent_withdrawn', 'restricted')
) NOT VALID;
