SET LOCAL lock_timeout = '5s';

-- Persons whose identity nobody can read any more. The service's own: that a case is an agency's is asked of its
-- assignments first.
CREATE TABLE erasures (
    case_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
COMMENT ON TABLE erasures IS 'append-only: persons whose identity was erased';

-- Each agency that had been shown the identity erases its own copy and says so; `region` is whose supervisor sees to
-- it when the agency does not, and nobody's but the data protection officer's when it is not known.
CREATE TABLE erasure_tasks (
    task_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id text NOT NULL,
    region text,
    asked_at timestamptz NOT NULL,
    confirm_by timestamptz NOT NULL,
    confirmed_at timestamptz,
    confirmed_by text,
    overdue_told_at timestamptz,
    CONSTRAINT one_erasure_task_per_agency_and_case UNIQUE (case_id, agency_id),
    CONSTRAINT confirmed_erasure_says_who_and_when CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL))
);
CREATE INDEX erasures_of_an_agency ON erasure_tasks (agency_id, confirm_by) WHERE confirmed_at IS NULL;
CREATE INDEX erasures_by_limit ON erasure_tasks (confirm_by) WHERE confirmed_at IS NULL;

CREATE POLICY own_agency ON erasure_tasks USING (agency_id = (SELECT acting_organisation()));
CREATE POLICY own_region ON erasure_tasks USING (
    (SELECT acting_in_role('agency_supervisor')) AND left(region, 2) = left((SELECT acting_region()), 2)
    AND (SELECT acting_region()) IN (region, left(region, 2))
);
CREATE POLICY protection_officer ON erasure_tasks USING ((SELECT acting_in_role('data_protection_officer')));
