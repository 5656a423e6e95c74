SET LOCAL lock_timeout = '5s';

-- What was said of handing on an identity, and which law decides without. The history itself: a row is never changed.
-- Names of who spoke for a child and of witnesses, and the words of a refusal, are sealed under the person's own key.
CREATE TABLE consents (
    entry_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    person_id uuid NOT NULL,
    port text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    recipient_class text NOT NULL,
    needs text[] NOT NULL,
    ends uuid,
    spoken_by text,
    how text,
    language text,
    expires_at timestamptz,
    basis text,
    reason text,
    sealed bytea NOT NULL,
    confirm_by timestamptz,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT consents_of_a_case_are_counted UNIQUE (case_id, version),
    CONSTRAINT consent_version_begins_at_one CHECK (version > 0),
    CONSTRAINT consent_kind_is_known CHECK (kind IN ('given', 'refused', 'withdrawn', 'basis', 'basis_ended')),
    CONSTRAINT consent_purpose_is_known CHECK (purpose IN ('help', 'family_tracing', 'prosecution')),
    CONSTRAINT consent_class_is_known
    CHECK (recipient_class IN ('state', 'civil_society', 'police', 'international')),
    CONSTRAINT consent_is_spoken_by_somebody CHECK (
        (kind IN ('given', 'refused', 'withdrawn')) = (spoken_by IS NOT NULL AND how IS NOT NULL AND language IS NOT NULL)
        AND spoken_by IN ('self', 'parent', 'guardian')
        AND how IN ('signed', 'thumbprint', 'spoken_before_witness')
    ),
    CONSTRAINT lawful_basis_is_named_with_its_reason CHECK (
        (kind = 'basis') = (basis IS NOT NULL) AND (kind IN ('basis', 'basis_ended')) = (reason IS NOT NULL)
        AND basis IN ('legal_obligation', 'vital_interest', 'public_task', 'best_interest')
    ),
    CONSTRAINT withdrawal_names_what_it_ends CHECK ((kind IN ('withdrawn', 'basis_ended')) = (ends IS NOT NULL)),
    CONSTRAINT only_a_consent_expires CHECK (expires_at IS NULL OR (kind = 'given' AND expires_at > recorded_at)),
    CONSTRAINT what_stops_is_to_be_confirmed
    CHECK ((kind IN ('refused', 'withdrawn')) = (confirm_by IS NOT NULL))
);
CREATE INDEX consents_of_person ON consents (person_id);
CREATE UNIQUE INDEX one_end_per_lawful_basis ON consents (ends) WHERE kind = 'basis_ended';
COMMENT ON TABLE consents IS 'write-once: consents, refusals, withdrawals and lawful bases in the order they were recorded';
COMMENT ON COLUMN consents.sealed IS
'names and words, AES-256-GCM under the key of the person; empty where there were none, or once the person was erased';

CREATE FUNCTION consent_loses_its_words_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF octet_length(new.sealed) = 0 AND to_jsonb(new) - 'sealed' = to_jsonb(old) - 'sealed' THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'what was recorded of consent % stays: it can only lose its words', old.entry_id
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER consent_loses_its_words_alone BEFORE UPDATE ON consents
FOR EACH ROW EXECUTE FUNCTION consent_loses_its_words_alone();

-- Who had been shown the identity when consent was refused or taken back, and what intake heard of their copy.
CREATE TABLE consent_recipients (
    entry_id uuid NOT NULL,
    agency_id text NOT NULL,
    confirmed_at timestamptz,
    overdue_at timestamptz,
    PRIMARY KEY (entry_id, agency_id)
);
COMMENT ON TABLE consent_recipients IS 'who was told that consent is gone, and has confirmed';

CREATE POLICY own_port ON consents FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer')));

CREATE POLICY of_own_consent ON consent_recipients FOR SELECT
USING (EXISTS (SELECT FROM consents AS c WHERE c.entry_id = consent_recipients.entry_id));
