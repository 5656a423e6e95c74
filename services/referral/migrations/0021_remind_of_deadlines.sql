SET LOCAL lock_timeout = '5s';

-- When the agency is to be reminded of the deadline that runs, and when it was. An attempt wakes the clock for its
-- reminder first and then for its deadline: one entry of one index, which takes the other's place.
ALTER TABLE assignments
ADD COLUMN remind_at timestamptz,
ADD COLUMN reminded_at timestamptz;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX assignments_by_deadline;
CREATE INDEX assignments_by_deadline ON assignments (coalesce(remind_at, due_at))
WHERE due_at IS NOT NULL AND overdue_told_at IS NULL;
