SET LOCAL lock_timeout = '5s';

-- One row per journal row of any service, numbered without holes in the order of arrival.
-- What is hashed into the tree is computed from the columns up to `commitment`; salt and payload open the
-- commitment and may be taken away (redaction), nothing else may change.
CREATE TABLE leaves (
    leaf_index bigint CONSTRAINT leaf_has_one_place PRIMARY KEY,
    event_id uuid NOT NULL CONSTRAINT event_is_one_leaf UNIQUE,
    source text NOT NULL,
    type text NOT NULL,
    case_id uuid NOT NULL,
    case_seq integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    commitment bytea NOT NULL,
    leaf_hash bytea NOT NULL,
    salt bytea,
    payload bytea,
    received_at timestamptz NOT NULL,
    redacted_at timestamptz,
    CONSTRAINT leaves_count_from_zero CHECK (leaf_index >= 0),
    CONSTRAINT rows_of_a_case_count_from_one CHECK (case_seq >= 1),
    CONSTRAINT commitment_is_sha256 CHECK (octet_length(commitment) = 32),
    CONSTRAINT leaf_hash_is_sha256 CHECK (octet_length(leaf_hash) = 32),
    CONSTRAINT salt_is_long CHECK (octet_length(salt) = 32),
    CONSTRAINT opened_or_redacted CHECK (
        (salt IS NULL) = (payload IS NULL) AND (payload IS NULL) = (redacted_at IS NOT NULL)
    )
);
CREATE INDEX leaves_by_case ON leaves (case_id, source, case_seq);
COMMENT ON TABLE leaves IS 'write-once: what reached the ledger; only salt and payload can be taken away';

CREATE FUNCTION leaf_changes_only_by_redaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.redacted_at IS NOT NULL AND old.redacted_at IS NULL
        AND (to_jsonb(new) - ARRAY['salt', 'payload', 'redacted_at'])
            = (to_jsonb(old) - ARRAY['salt', 'payload', 'redacted_at'])
    THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'leaf % is in the ledger: it can only be redacted', old.leaf_index
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER leaf_changes_only_by_redaction BEFORE UPDATE ON leaves
    FOR EACH ROW EXECUTE FUNCTION leaf_changes_only_by_redaction();
CREATE TRIGGER leaf_is_never_deleted BEFORE DELETE ON leaves
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER leaves_are_never_truncated BEFORE TRUNCATE ON leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The hashes of the tree, 256 to a tile. A tile grows at its end until it is full.
CREATE TABLE tiles (
    level smallint NOT NULL,
    tile_index bigint NOT NULL,
    hashes bytea NOT NULL,
    CONSTRAINT tile_has_one_place PRIMARY KEY (level, tile_index),
    CONSTRAINT tile_holds_1_to_256_hashes CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    CONSTRAINT tile_place_is_in_a_tree CHECK (level BETWEEN 0 AND 7 AND tile_index >= 0)
);
ALTER TABLE tiles ALTER COLUMN hashes SET STORAGE EXTERNAL; -- hashes do not compress
COMMENT ON TABLE tiles IS 'write-once: hashes of the tree; a tile only grows at its end';

CREATE FUNCTION tile_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (new.level, new.tile_index) = (old.level, old.tile_index)
        AND octet_length(new.hashes) > octet_length(old.hashes)
        AND substring(new.hashes FROM 1 FOR octet_length(old.hashes)) = old.hashes
    THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'tile %/% is in the ledger: it can only grow at its end', old.level, old.tile_index
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tiles
    FOR EACH ROW EXECUTE FUNCTION tile_only_grows();
CREATE TRIGGER tile_is_never_deleted BEFORE DELETE ON tiles
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tiles_are_never_truncated BEFORE TRUNCATE ON tiles
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was signed. They stay for ever; one size has one root.
CREATE TABLE checkpoints (
    tree_size bigint CONSTRAINT size_has_one_root PRIMARY KEY,
    root bytea NOT NULL,
    note text NOT NULL,
    verifier_key text NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT tree_is_not_smaller_than_empty CHECK (tree_size >= 0),
    CONSTRAINT root_is_sha256 CHECK (octet_length(root) = 32)
);
COMMENT ON TABLE checkpoints IS 'append-only: signed statements about the tree; never changed, never deleted';
CREATE TRIGGER checkpoint_is_append_only BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoints_are_never_truncated BEFORE TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
