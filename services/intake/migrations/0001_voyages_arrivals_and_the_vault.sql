SET LOCAL lock_timeout = '5s';

-- A ship or flight that brings people back. Its port never changes.
CREATE TABLE voyages (
    voyage_id uuid PRIMARY KEY,
    port text NOT NULL,
    modality text NOT NULL,
    vessel text NOT NULL,
    announced integer NOT NULL,
    expected_at timestamptz NOT NULL,
    announced_by text NOT NULL,
    announced_at timestamptz NOT NULL,
    CONSTRAINT voyage_modality_is_known CHECK (modality IN ('deportation', 'repatriation', 'vulnerable_flight')),
    CONSTRAINT voyage_announces_a_head_count CHECK (announced BETWEEN 0 AND 200000),
    CONSTRAINT voyage_vessel_is_short CHECK (char_length(vessel) <= 80)
);
CREATE INDEX voyages_of_port ON voyages (port, expected_at);
COMMENT ON TABLE voyages IS 'append-only: what a consular letter announced';

-- A name list that was taken in. The file itself is not kept, nor any row that was held back: names live in the
-- vault alone. The digest of the file tells it apart when it is sent again.
CREATE TABLE manifests (
    manifest_id uuid PRIMARY KEY,
    voyage_id uuid NOT NULL REFERENCES voyages,
    file_digest bytea NOT NULL,
    listed integer NOT NULL,
    rejected integer NOT NULL,
    accepted integer,
    known integer,
    received_by text NOT NULL,
    received_at timestamptz NOT NULL,
    finished_at timestamptz,
    superseded_by uuid REFERENCES manifests,
    CONSTRAINT manifest_file_is_taken_once UNIQUE (voyage_id, file_digest),
    CONSTRAINT manifest_counts_are_not_negative CHECK (listed >= 0 AND rejected >= 0 AND accepted >= 0 AND known >= 0),
    CONSTRAINT manifest_counts_add_up CHECK (listed = accepted + rejected + known),
    CONSTRAINT finished_manifest_is_counted
        CHECK ((finished_at IS NULL) = (accepted IS NULL) AND (finished_at IS NULL) = (known IS NULL)),
    CONSTRAINT manifest_is_not_its_own_successor CHECK (superseded_by <> manifest_id)
);
COMMENT ON COLUMN manifests.known IS 'rows that an earlier list of the voyage had brought in';
COMMENT ON COLUMN manifests.superseded_by IS 'a later version of the same list; counts of the voyage leave this one out';

-- Which rows were held back and why: place and code, never what stood in the cell.
CREATE TABLE manifest_problems (
    manifest_id uuid NOT NULL REFERENCES manifests,
    row_number integer NOT NULL,
    field text NOT NULL,
    code text NOT NULL,
    PRIMARY KEY (manifest_id, row_number, field, code)
);
COMMENT ON COLUMN manifest_problems.field IS 'empty for what concerns the whole row';
COMMENT ON TABLE manifest_problems IS 'append-only: what was wrong with the rows of a list that were held back';

-- What makes a write repeatable: the client's key, or what a row of a list says of the person. `content` tells the
-- same arrival from another one under the same key (keyed digests: they cannot be guessed from names).
CREATE TABLE requests (
    scope uuid NOT NULL,
    key bytea NOT NULL,
    content bytea NOT NULL,
    case_id uuid NOT NULL,
    PRIMARY KEY (scope, key),
    CONSTRAINT request_key_is_short CHECK (octet_length(key) BETWEEN 1 AND 200)
);
COMMENT ON TABLE requests IS 'append-only: which key recorded which case';
COMMENT ON COLUMN requests.scope IS 'the voyage for rows of a list, else a digest of the actor';

-- One person who landed. No foreign key to voyages: a voyage is never removed, its port is checked before, and the
-- check would cost more than the row.
CREATE TABLE arrivals (
    case_id uuid PRIMARY KEY,
    person_id uuid NOT NULL,
    voyage_id uuid,
    manifest_id uuid,
    manifest_row integer,
    port text NOT NULL,
    origin_regency text,
    sex text NOT NULL,
    age_band text NOT NULL,
    needs text[] NOT NULL,
    onward_wish text NOT NULL,
    channel text NOT NULL,
    arrived_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT arrival_sex_is_known CHECK (sex IN ('F', 'M', 'X')),
    CONSTRAINT arrival_age_band_is_known CHECK (age_band IN ('child', 'adult', 'elderly', 'unknown')),
    CONSTRAINT arrival_has_a_need CHECK ('NEED' = ANY (needs)),
    CONSTRAINT child_has_a_child_need
        CHECK (age_band NOT IN ('child', 'unknown') OR needs && ARRAY['UAC', 'CHILD']),
    CONSTRAINT arrival_channel_is_known CHECK (channel IN ('single', 'batch', 'manifest')),
    CONSTRAINT manifest_arrival_names_its_row
        CHECK ((channel = 'manifest') = (manifest_id IS NOT NULL AND manifest_row IS NOT NULL)),
    CONSTRAINT nobody_arrives_in_the_future CHECK (arrived_at <= recorded_at + interval '5 minutes')
);
CREATE INDEX arrivals_of_voyage ON arrivals (voyage_id, case_id);
COMMENT ON COLUMN arrivals.sealed IS 'identifying fields, AES-256-GCM under the key of the person';

-- One wrapped key per person. Deleting the row erases the person everywhere, backups of `arrivals` included.
CREATE TABLE person_keys (
    person_id uuid PRIMARY KEY,
    wrapped_key bytea NOT NULL,
    CONSTRAINT wrapped_key_has_its_length CHECK (octet_length(wrapped_key) = 64)
);

-- What intake has heard of referral: which needs of a case became open referrals.
CREATE TABLE referred_needs (
    case_id uuid NOT NULL,
    need text NOT NULL,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, need)
);
COMMENT ON TABLE referred_needs IS 'append-only: needs that referral has taken up';

-- Acceptances that intake itself has heard: what identities are released on.
CREATE TABLE disclosure_grants (
    assignment_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    need text NOT NULL,
    accepted_at timestamptz NOT NULL,
    ended_at timestamptz
);
