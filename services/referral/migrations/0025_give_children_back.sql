SET LOCAL lock_timeout = '5s';

-- Who answered for a child before an acceptance that was undone does again.
-- squawk-ignore ban-drop-constraint
ALTER TABLE responsibilities DROP CONSTRAINT responsibility_reason_is_known;
ALTER TABLE responsibilities ADD CONSTRAINT responsibility_reason_is_known
CHECK (reason IN ('arrival', 'duty', 'acceptance', 'takeover', 'correction', 'undoing')) NOT VALID;
-- Before, that may have been the supervisor on duty.
-- squawk-ignore ban-drop-constraint
ALTER TABLE responsibilities DROP CONSTRAINT responsibility_begins_at_the_landing;
ALTER TABLE responsibilities ADD CONSTRAINT responsibility_begins_at_the_landing
CHECK (reason IN ('correction', 'duty') OR (seq = 1) = (reason = 'arrival')) NOT VALID;
