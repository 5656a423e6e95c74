SET LOCAL lock_timeout = '5s';

-- Laws that are named for a class to be told of a case whatever the person says: of one need, or of all of them ('*').
CREATE TABLE laws (
    basis_id uuid NOT NULL,
    need text NOT NULL,
    case_id uuid NOT NULL,
    recipient_class text NOT NULL,
    has_ended boolean NOT NULL,
    PRIMARY KEY (basis_id, need),
    CONSTRAINT law_is_for_who_is_told_by_consent CHECK (recipient_class IN ('civil_society', 'international'))
);
CREATE INDEX laws_that_stand ON laws (case_id, recipient_class) WHERE NOT has_ended;
