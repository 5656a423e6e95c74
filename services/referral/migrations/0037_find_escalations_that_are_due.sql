SET LOCAL lock_timeout = '5s';

-- The clock looks for these every few seconds, however many others are open.
CREATE INDEX escalations_due ON escalations (due_at) WHERE closed_at IS NULL;
