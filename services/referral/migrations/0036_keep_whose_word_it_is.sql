SET LOCAL lock_timeout = '5s';

-- What parents or a guardian had said of who is of age after all ends nothing; of what was heard before it is not known.
ALTER TABLE consents ADD COLUMN spoken_by text;
ALTER TABLE consents ADD CONSTRAINT speaker_is_known
CHECK (spoken_by IN ('self', 'parent', 'guardian')) NOT VALID;
