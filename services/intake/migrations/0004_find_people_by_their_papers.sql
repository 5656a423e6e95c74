SET LOCAL lock_timeout = '5s';

-- Keyed digests of the numbers by which a person is looked up: they can be compared, and neither read nor guessed.
-- At most one of a kind for a person. No foreign key: they are written in one statement with the person's key, and
-- checking that would cost more than the row.
CREATE TABLE blind_indexes (
    person_id uuid NOT NULL,
    kind text NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (person_id, kind),
    CONSTRAINT blind_index_kind_is_known CHECK (kind IN ('nik', 'document')),
    CONSTRAINT blind_index_has_its_length CHECK (octet_length(digest) = 16)
);
-- Looked up exactly and in no order: entries of a hash are the smallest, and each arrival writes two.
CREATE INDEX blind_indexes_by_digest ON blind_indexes USING hash (digest);

-- With the key goes whatever a person could be found by, whoever deletes it.
CREATE FUNCTION forget_blind_indexes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM blind_indexes USING erased WHERE blind_indexes.person_id = erased.person_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER blind_indexes_end_with_the_key AFTER DELETE ON person_keys
REFERENCING OLD TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION forget_blind_indexes();
