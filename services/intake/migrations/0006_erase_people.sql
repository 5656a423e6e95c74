SET LOCAL lock_timeout = '5s';

-- Who was shown which fields, and what for: written with the entry on the trail whose id it has. Whoever stands here
-- is told when the person is erased or corrected.
CREATE TABLE disclosures (
    disclosure_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    agency_id text NOT NULL,
    reader text NOT NULL,
    purpose text NOT NULL,
    fields text[] NOT NULL,
    disclosed_at timestamptz NOT NULL
);
CREATE INDEX disclosures_of_case ON disclosures (case_id, disclosure_id);
COMMENT ON TABLE disclosures IS 'append-only: each time that an identity was shown to an agency';

INSERT INTO disclosures (disclosure_id, case_id, assignment_id, agency_id, reader, purpose, fields, disclosed_at)
SELECT j.event_id, j.case_id, (t.told -> 'data' ->> 'assignment_id')::uuid, t.told -> 'data' ->> 'agency_id',
    t.told -> 'data' ->> 'reader', t.told ->> 'purpose',
    ARRAY(SELECT jsonb_array_elements_text(t.told -> 'data' -> 'fields')), j.occurred_at
FROM journal AS j CROSS JOIN LATERAL (SELECT convert_from(j.payload, 'UTF8')::jsonb AS told) AS t
WHERE j.type = 'intake.identity_disclosed.v1';

-- The receipt of each erasure. It outlives the person's key, so that nobody is erased twice or comes back.
CREATE TABLE erasures (
    person_id uuid PRIMARY KEY,
    reason text NOT NULL,
    reference text NOT NULL,
    erased_by text NOT NULL,
    erased_at timestamptz NOT NULL,
    confirm_by timestamptz NOT NULL,
    CONSTRAINT erasure_reason_is_known CHECK (reason IN ('request', 'retention', 'order')),
    CONSTRAINT erasure_reference_is_short CHECK (char_length(reference) BETWEEN 1 AND 40)
);
CREATE INDEX erasures_in_time ON erasures (erased_at, person_id);
COMMENT ON TABLE erasures IS 'append-only: the receipt of each erasure';

-- Who had been shown the identity of a case that was erased, and what intake heard of their copy.
CREATE TABLE erasure_recipients (
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    confirmed_at timestamptz,
    overdue_at timestamptz,
    PRIMARY KEY (case_id, agency_id)
);

-- What an erasure blanks is found by person and case.
CREATE INDEX arrivals_of_person ON arrivals (person_id);
CREATE INDEX requests_of_case ON requests (case_id);

-- The number of a row leads whoever has the list back to a name; it goes with the identity.
-- squawk-ignore ban-drop-constraint
ALTER TABLE arrivals DROP CONSTRAINT manifest_arrival_names_its_row;
ALTER TABLE arrivals ADD CONSTRAINT arrival_by_list_names_its_list
CHECK ((channel = 'manifest') = (manifest_id IS NOT NULL)) NOT VALID;
ALTER TABLE arrivals ADD CONSTRAINT arrival_by_list_names_its_row
CHECK (channel = 'manifest' OR manifest_row IS NULL) NOT VALID;
ALTER TABLE arrivals ADD CONSTRAINT arrival_by_list_has_a_row_until_it_is_erased
CHECK (channel <> 'manifest' OR manifest_row IS NOT NULL OR octet_length(sealed) = 0) NOT VALID;

-- An erasure blanks the digest of what was said of the person.
COMMENT ON TABLE requests IS 'which key recorded which case';
COMMENT ON COLUMN requests.content IS 'a keyed digest; empty once the person was erased';
COMMENT ON COLUMN arrivals.sealed IS
'identifying fields, AES-256-GCM under the key of the person; empty once the person was erased';

-- The mark of a held row that is settled is compared with nothing any more.
UPDATE held_rows SET said = '{}', mark = decode(repeat('00', 16), 'hex') WHERE settled_at IS NOT NULL;
COMMENT ON COLUMN held_rows.mark IS 'zeros once the row is settled';
