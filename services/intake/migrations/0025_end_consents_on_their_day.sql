SET LOCAL lock_timeout = '5s';

-- That a consent has reached its end is an entry like what was said: nobody spoke, and who was shown it confirms.
-- squawk-ignore ban-drop-constraint
ALTER TABLE consents DROP CONSTRAINT consent_kind_is_known;
-- squawk-ignore ban-drop-constraint
ALTER TABLE consents DROP CONSTRAINT withdrawal_names_what_it_ends;
-- squawk-ignore ban-drop-constraint
ALTER TABLE consents DROP CONSTRAINT what_stops_is_to_be_confirmed;
ALTER TABLE consents
ADD CONSTRAINT consent_kind_is_known
CHECK (kind IN ('given', 'refused', 'withdrawn', 'expired', 'basis', 'basis_ended')) NOT VALID,
ADD CONSTRAINT withdrawal_names_what_it_ends
CHECK ((kind IN ('withdrawn', 'expired', 'basis_ended')) = (ends IS NOT NULL)) NOT VALID,
ADD CONSTRAINT what_stops_is_to_be_confirmed
CHECK ((kind IN ('refused', 'withdrawn', 'expired')) = (confirm_by IS NOT NULL)) NOT VALID;

-- The clock looks for those whose day has come, ports for those whose day is near.
CREATE INDEX consents_to_end ON consents (expires_at) WHERE kind = 'given' AND expires_at IS NOT NULL;
