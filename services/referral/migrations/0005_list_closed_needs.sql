SET LOCAL lock_timeout = '5s';

-- What a supervisor may open again: the met and the given-up needs of the region, latest first.
CREATE INDEX referrals_closed ON referrals (left(regency, 2), ended_at, referral_id) WHERE ended_at IS NOT NULL;
