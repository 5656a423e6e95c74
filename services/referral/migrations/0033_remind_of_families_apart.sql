SET LOCAL lock_timeout = '5s';

-- Who is apart from the household is somebody's task with a deadline: of that, too, one reminder is given, after three
-- quarters of the time. What was open before is reminded of once it has climbed.
ALTER TABLE reunifications ADD COLUMN remind_at timestamptz, ADD COLUMN reminded_at timestamptz;
CREATE INDEX reunifications_to_remind ON reunifications (remind_at) WHERE closed_at IS NULL;
