SET LOCAL lock_timeout = '5s';

-- What was said at the port of handing a case on, in codes, in its order there: consent, refusal and withdrawal, for one
-- class of recipients and some needs (none named: all); and a law that decides whatever the person says, until its end.
CREATE TABLE consents (
    case_id uuid NOT NULL,
    seq integer NOT NULL,
    kind text NOT NULL,
    said_id uuid NOT NULL,
    recipient_class text NOT NULL,
    needs text [] NOT NULL,
    said_at timestamptz NOT NULL,
    by text NOT NULL,
    expires_at timestamptz,
    statement text,
    basis text,
    PRIMARY KEY (case_id, seq),
    CONSTRAINT consent_kind_is_known CHECK (kind IN ('given', 'refused', 'withdrawn', 'basis', 'basis_ended')),
    CONSTRAINT recipient_class_is_known CHECK (
        recipient_class IN ('state', 'civil_society', 'police', 'international')
    ),
    CONSTRAINT only_a_refusal_has_a_statement CHECK (kind = 'refused' OR statement IS NULL),
    CONSTRAINT named_basis_says_which CHECK ((kind = 'basis') = (basis IS NOT NULL))
);
COMMENT ON TABLE consents IS 'append-only: what was said of handing a case on, in codes';

-- Statements by which an adult refused help, as they were signed: codes and the number of the paper, on which the names
-- stand (Permen P2MI 32/2025 Art. 39, Annex III).
CREATE TABLE refusal_statements (
    referral_id uuid NOT NULL,
    number text NOT NULL,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    recorded_by text NOT NULL,
    refuser text NOT NULL,
    incapacity text,
    witness text NOT NULL,
    place text NOT NULL,
    language text NOT NULL,
    explained text [] NOT NULL,
    refused_at timestamptz NOT NULL,
    signed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (referral_id, number),
    CONSTRAINT statements_have_numbers CHECK (
        number ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$'
        AND (incapacity IS NULL OR incapacity ~ '^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$')
    ),
    CONSTRAINT refuser_is_known CHECK (refuser IN ('self', 'family')),
    CONSTRAINT family_refuses_for_who_cannot CHECK ((refuser = 'family') = (incapacity IS NOT NULL)),
    CONSTRAINT what_follows_was_explained CHECK (explained @> ARRAY['help_offered', 'what_follows']),
    CONSTRAINT statement_is_recorded_once_signed CHECK (refused_at <= signed_at AND signed_at <= recorded_at)
);
COMMENT ON TABLE refusal_statements IS 'append-only: statements of refusal as they were signed';
CREATE POLICY own_agency ON refusal_statements FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);

ALTER TABLE referrals ADD COLUMN statement text;
ALTER TABLE referrals
ADD CONSTRAINT refused_need_names_its_statement CHECK ((state = 'refused') = (statement IS NOT NULL)) NOT VALID,
ADD CONSTRAINT need_ended_by_the_person_says_so CHECK (
    state NOT IN ('refused', 'consent_withdrawn') OR (outcome IS NOT NULL AND closed_by IS NOT NULL)
) NOT VALID;

-- Nobody's need is refused by a number that anybody can type; looked at only where a need ends so.
CREATE FUNCTION refuse_refusal_without_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM refusal_statements s WHERE s.referral_id = NEW.referral_id AND s.number = NEW.statement
    ) AND NOT EXISTS (
        SELECT FROM consents c WHERE c.case_id = NEW.case_id AND c.kind = 'refused' AND c.statement = NEW.statement
        AND (c.needs = '{}' OR NEW.need = ANY(c.needs))
    ) THEN
        RAISE EXCEPTION 'referral % is refused and has no statement of it', NEW.referral_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refusal_has_a_statement';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER refusal_has_a_statement AFTER INSERT OR UPDATE ON referrals
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.state = 'refused') EXECUTE FUNCTION refuse_refusal_without_statement();

-- Who had been shown a person whose consent was taken back, or refused, ends that use; `cause` is that withdrawal.
ALTER TABLE recipient_tasks ADD COLUMN cause uuid;
CREATE UNIQUE INDEX one_withdrawal_task_per_agency ON recipient_tasks (cause, agency_id) WHERE kind = 'withdrawal';
-- squawk-ignore ban-drop-constraint
ALTER TABLE recipient_tasks DROP CONSTRAINT recipient_task_kind_is_known;
ALTER TABLE recipient_tasks
ADD CONSTRAINT recipient_task_kind_is_known CHECK (kind IN ('erasure', 'correction', 'withdrawal')) NOT VALID,
ADD CONSTRAINT withdrawal_task_names_its_cause CHECK ((kind = 'withdrawal') = (cause IS NOT NULL)) NOT VALID;
