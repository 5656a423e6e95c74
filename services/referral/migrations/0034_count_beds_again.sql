SET LOCAL lock_timeout = '5s';

-- While beds were counted first, processes of the version before may have given and freed places. Nobody does so now,
-- and from here on each bed and each place is counted as the attempts have it.
LOCK TABLE places, assignments IN EXCLUSIVE MODE;

DELETE FROM beds b WHERE NOT EXISTS (
    SELECT FROM assignments a JOIN referrals r USING (referral_id)
    WHERE a.place IS NOT NULL AND a.ended_at IS NULL AND a.agency_id = b.agency_id AND r.case_id = b.case_id
);
INSERT INTO beds (agency_id, case_id, place, attempts)
SELECT a.agency_id, r.case_id, (array_agg(a.place ORDER BY a.sent_at DESC, a.assignment_id DESC))[1], count(*)
FROM assignments a JOIN referrals r USING (referral_id)
WHERE a.place IS NOT NULL AND a.ended_at IS NULL GROUP BY a.agency_id, r.case_id
ON CONFLICT (agency_id, case_id) DO UPDATE SET attempts = excluded.attempts;
-- Who has a bed keeps it, also where it was given once too often.
UPDATE places p SET taken = n.beds, offered = greatest(p.offered, n.beds) FROM (
    SELECT agency_id, place, (
        SELECT count(*)::integer FROM beds b WHERE b.agency_id = o.agency_id AND b.place = o.place
    ) AS beds FROM places o
) n WHERE n.agency_id = p.agency_id AND n.place = p.place AND (p.taken, p.offered) <> (n.beds, greatest(p.offered, n.beds));
