SET LOCAL lock_timeout = '5s';

-- How urgent the rules have found the need. Unknown of needs from before, and of rules that said nothing: there the
-- need's own counts.
ALTER TABLE referrals ADD COLUMN urgency smallint;
