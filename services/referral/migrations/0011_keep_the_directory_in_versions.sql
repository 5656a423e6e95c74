SET LOCAL lock_timeout = '5s';

-- What an office takes, when it is open, how it is reached and who answers for it. NULL leaves a restriction open, so
-- that the entries of the first filling stay as they are.
-- squawk-ignore adding-field-with-default
ALTER TABLE agencies
ADD COLUMN needs text [],
ADD COLUMN sexes text [],
ADD COLUMN min_age integer,
ADD COLUMN max_age integer,
ADD COLUMN serves text [],
ADD COLUMN languages text [],
ADD COLUMN accessibility text [],
ADD COLUMN with_children boolean,
ADD COLUMN hours text,
ADD COLUMN keeps_holidays boolean NOT NULL DEFAULT TRUE,
ADD COLUMN phone text,
ADD COLUMN email text,
ADD COLUMN supervised_by text,
ADD COLUMN active_from date,
ADD COLUMN active_until date,
ADD COLUMN reserved text [] NOT NULL DEFAULT '{}',
ADD COLUMN version integer NOT NULL DEFAULT 1,
ADD COLUMN confirmed_at timestamptz;
ALTER TABLE agencies
ADD CONSTRAINT agency_needs_are_some CHECK (cardinality(needs) > 0) NOT VALID,
ADD CONSTRAINT agency_sexes_are_known CHECK (sexes <@ ARRAY['F', 'M'] AND cardinality(sexes) > 0) NOT VALID,
ADD CONSTRAINT agency_ages_are_a_range CHECK (
    min_age BETWEEN 0 AND 120 AND max_age BETWEEN 0 AND 120 AND min_age <= max_age
) NOT VALID,
ADD CONSTRAINT agency_serves_somewhere CHECK (cardinality(serves) > 0) NOT VALID,
ADD CONSTRAINT agency_is_active_for_a_time CHECK (active_from <= active_until) NOT VALID,
ADD CONSTRAINT agency_is_not_its_own_supervisor CHECK (supervised_by <> agency_id) NOT VALID,
ADD CONSTRAINT agency_supervisor_is_an_agency FOREIGN KEY (supervised_by) REFERENCES agencies (agency_id) NOT VALID;
CREATE INDEX agencies_with_a_period ON agencies (agency_id) WHERE active_from IS NOT NULL OR active_until IS NOT NULL;

-- Every entry as it was after each change, so that the directory of any moment can be put together again.
CREATE TABLE agency_versions (
    agency_id text NOT NULL,
    version integer NOT NULL,
    changed_at timestamptz NOT NULL,
    change text NOT NULL,
    fields text [] NOT NULL,
    by_role text NOT NULL,
    entry jsonb NOT NULL,
    PRIMARY KEY (agency_id, version),
    CONSTRAINT agency_change_is_known CHECK (change IN ('added', 'changed', 'suspended', 'resumed', 'confirmed')),
    CONSTRAINT agency_versions_count_from_one CHECK (version >= 1)
);
COMMENT ON TABLE agency_versions IS 'append-only: each entry of the directory after each change';
CREATE INDEX agency_versions_by_time ON agency_versions (changed_at);
INSERT INTO agency_versions (agency_id, version, changed_at, change, fields, by_role, entry)
SELECT
    agency_id, 1, changed_at, 'added', '{}', 'system',
    jsonb_strip_nulls(jsonb_build_object(
        'name', name, 'zone', zone, 'takes_referrals', takes_referrals, 'is_suspended', suspended_at IS NOT NULL,
        'keeps_holidays', keeps_holidays, 'reserved', reserved
    ))
FROM agencies;

-- The keepers of the directory change it, and an office its own entry. What an entry was before, coordinators see of
-- all and an office of its own.
CREATE POLICY keeper_adds ON agencies FOR INSERT WITH CHECK ((SELECT acting_in_role('coordinator')));
CREATE POLICY keeper_changes ON agencies FOR UPDATE USING ((SELECT acting_in_role('coordinator')));
CREATE POLICY own_agency_changes ON agencies FOR UPDATE USING (
    agency_id = (SELECT acting_organisation()) AND (SELECT acting_in_role('agency_supervisor'))
);
CREATE POLICY keeper_sees ON agency_versions FOR SELECT USING ((SELECT acting_in_role('coordinator')));
CREATE POLICY keeper_adds ON agency_versions FOR INSERT WITH CHECK ((SELECT acting_in_role('coordinator')));
CREATE POLICY own_agency_sees ON agency_versions FOR SELECT USING (
    agency_id = (SELECT acting_organisation()) AND (SELECT acting_in_role('agency_supervisor'))
);
CREATE POLICY own_agency_adds ON agency_versions FOR INSERT WITH CHECK (
    agency_id = (SELECT acting_organisation()) AND (SELECT acting_in_role('agency_supervisor'))
);
