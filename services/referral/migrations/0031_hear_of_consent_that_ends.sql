SET LOCAL lock_timeout = '5s';

-- A consent that has reached its end counts as one that was taken back.
-- squawk-ignore ban-drop-constraint
ALTER TABLE consents DROP CONSTRAINT consent_kind_is_known;
ALTER TABLE consents ADD CONSTRAINT consent_kind_is_known
CHECK (kind IN ('given', 'refused', 'withdrawn', 'expired', 'basis', 'basis_ended')) NOT VALID;
