SET LOCAL lock_timeout = '5s';

-- Whoever had been shown a person is asked to erase its copy, or to read the person again because `fields` of the
-- identity were corrected. One table and one way to settle, for both kinds.
-- squawk-ignore renaming-table
ALTER TABLE erasure_tasks RENAME TO recipient_tasks;
-- squawk-ignore renaming-column
ALTER TABLE recipient_tasks RENAME COLUMN confirmed_at TO settled_at;
-- squawk-ignore renaming-column
ALTER TABLE recipient_tasks RENAME COLUMN confirmed_by TO settled_by;
-- squawk-ignore renaming-object
ALTER INDEX erasure_tasks_pkey RENAME TO recipient_tasks_pkey;
-- squawk-ignore renaming-object
ALTER INDEX erasures_of_an_agency RENAME TO tasks_of_a_recipient;
-- squawk-ignore renaming-object
ALTER INDEX erasures_by_limit RENAME TO recipient_tasks_by_limit;

-- squawk-ignore adding-field-with-default
ALTER TABLE recipient_tasks ADD COLUMN kind text NOT NULL DEFAULT 'erasure';
-- squawk-ignore ban-drop-default
ALTER TABLE recipient_tasks ALTER COLUMN kind DROP DEFAULT;
-- squawk-ignore adding-field-with-default
ALTER TABLE recipient_tasks ADD COLUMN fields text [] NOT NULL DEFAULT '{}';
ALTER TABLE recipient_tasks ADD COLUMN settled_as text;
UPDATE recipient_tasks SET settled_as = 'confirmed' WHERE settled_at IS NOT NULL;

-- squawk-ignore ban-drop-constraint
ALTER TABLE recipient_tasks DROP CONSTRAINT one_erasure_task_per_agency_and_case;
-- squawk-ignore ban-drop-constraint
ALTER TABLE recipient_tasks DROP CONSTRAINT confirmed_erasure_says_who_and_when;
CREATE UNIQUE INDEX one_erasure_per_agency_and_case ON recipient_tasks (case_id, agency_id) WHERE kind = 'erasure';
CREATE INDEX open_tasks_of_a_case ON recipient_tasks (case_id) WHERE settled_at IS NULL;
ALTER TABLE recipient_tasks
ADD CONSTRAINT recipient_task_kind_is_known CHECK (kind IN ('erasure', 'correction')) NOT VALID,
ADD CONSTRAINT correction_names_its_fields CHECK ((kind = 'correction') = (fields <> '{}')) NOT VALID,
ADD CONSTRAINT settled_task_says_who_when_and_how CHECK (
    (settled_at IS NULL) = (settled_by IS NULL) AND (settled_at IS NULL) = (settled_as IS NULL)
) NOT VALID,
ADD CONSTRAINT task_is_settled_in_a_known_way CHECK (settled_as IN ('confirmed', 'read', 'superseded')) NOT VALID;
