SET LOCAL lock_timeout = '5s';

-- The order in which records came: clocks differ between processes, and offsets tell nothing across topics.
-- Few records are parked, ever: the table is rewritten in a moment.
-- squawk-ignore adding-field-with-default
ALTER TABLE parked ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY;

CREATE OR REPLACE VIEW waiting WITH (security_invoker = TRUE) AS
SELECT * FROM parked WHERE released_at IS NULL AND discarded_at IS NULL;

-- Topics that were made anew count from 0 again: where one record was parked, another may be. The same record that comes
-- again is parked once.
-- squawk-ignore ban-drop-constraint
ALTER TABLE parked DROP CONSTRAINT parked_record_once;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX parked_record_once
ON parked (consumer, topic, kafka_partition, kafka_offset, event_id, sha256(value)) NULLS NOT DISTINCT;
