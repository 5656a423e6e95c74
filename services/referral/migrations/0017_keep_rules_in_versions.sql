SET LOCAL lock_timeout = '5s';

-- The versions of the rules, each with its decision tables (JDM). One is in force; what was once drafted stays, since
-- decisions are made again under the version that they were made by.
CREATE TABLE rule_sets (
    version text PRIMARY KEY,
    state text NOT NULL,
    body bytea NOT NULL,
    digest bytea NOT NULL,
    drafted_by text NOT NULL,
    drafted_at timestamptz NOT NULL,
    tried_at timestamptz,
    asked_by text,
    asked_at timestamptz,
    activated_by text,
    activated_at timestamptz,
    retired_at timestamptz,
    CONSTRAINT rules_are_named CHECK (version ~ '^[a-z0-9][a-z0-9.-]{0,31}$'),
    CONSTRAINT rules_state_is_known CHECK (state IN ('draft', 'tried', 'active', 'retired')),
    CONSTRAINT rules_are_addressed_by_their_content CHECK (digest = sha256(body)),
    CONSTRAINT rules_differ UNIQUE (digest),
    CONSTRAINT rules_in_force_were_tried CHECK (state <> 'active' OR (tried_at IS NOT NULL AND activated_at IS NOT NULL)),
    CONSTRAINT rules_take_two_people CHECK (
        activated_by IS NULL OR drafted_by = 'shipped' OR (asked_by IS NOT NULL AND asked_by <> activated_by)
    ),
    CONSTRAINT rules_retire_once CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_version_of_the_rules_is_in_force ON rule_sets ((TRUE)) WHERE state = 'active';

-- Rules hold no person: whoever is signed in may know by which ones is decided. Coordinators keep them.
CREATE POLICY everybody ON rule_sets FOR SELECT
USING (
    (SELECT acting_in_role(
        'agency_worker', 'agency_supervisor', 'agency_system', 'coordinator', 'operator', 'auditor', 'service',
        'port_officer', 'port_system', 'ngo_member', 'ngo_system', 'data_protection_officer'
    ))
);
CREATE POLICY keeper_adds ON rule_sets FOR INSERT WITH CHECK ((SELECT acting_in_role('coordinator')));
CREATE POLICY keeper_changes ON rule_sets FOR UPDATE USING ((SELECT acting_in_role('coordinator')));
