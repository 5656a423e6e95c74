SET LOCAL lock_timeout = '5s';

-- OFFSET 0 keeps the planner from reading all parents into a table to look up the few that a page has
-- (docs/adr/0010-row-level-security.md).
ALTER POLICY of_own_voyage ON manifests
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = manifests.voyage_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = manifests.voyage_id OFFSET 0));

ALTER POLICY of_own_voyage ON held_rows
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = held_rows.voyage_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = held_rows.voyage_id OFFSET 0));

ALTER POLICY of_own_list ON manifest_problems
USING (EXISTS (SELECT FROM manifests AS m WHERE m.manifest_id = manifest_problems.manifest_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM manifests AS m WHERE m.manifest_id = manifest_problems.manifest_id OFFSET 0));

ALTER POLICY of_own_arrival ON referred_needs
USING (EXISTS (SELECT FROM arrivals AS a WHERE a.case_id = referred_needs.case_id OFFSET 0));
