SET LOCAL lock_timeout = '5s';

-- What is live, by where help is due, the oldest arrival first: for supervisors' lists and for the law's longest limit.
CREATE INDEX live_referrals ON referrals (province, arrived_at) WHERE ended_at IS NULL;
-- The few needs for which the law sets a limit of days.
CREATE INDEX live_needs_with_a_limit ON referrals (need, opened_at) WHERE ended_at IS NULL AND need IN ('GBV', 'TIP');
