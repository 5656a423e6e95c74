SET LOCAL lock_timeout = '5s';

-- Whatever stands there for a reminder, it never holds up the deadline itself. One index takes the other's place.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX assignments_by_deadline;
CREATE INDEX assignments_by_deadline ON assignments (least(remind_at, due_at))
WHERE due_at IS NOT NULL AND overdue_told_at IS NULL;
