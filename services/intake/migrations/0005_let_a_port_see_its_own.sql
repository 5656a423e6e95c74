SET LOCAL lock_timeout = '5s';

-- A port works on its own voyages and lists; what landed there it may read. Keys, digests and grants are nobody's:
-- they are opened by the service itself, for one person at a time (shared/kit/sql/0003_row_security.sql).
CREATE POLICY own_port ON voyages
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')))
WITH CHECK (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));

CREATE POLICY own_port ON arrivals FOR SELECT
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));

-- What hangs on a voyage or an arrival is seen by who sees that: these read under the policies above.
CREATE POLICY of_own_voyage ON manifests
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = manifests.voyage_id))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = manifests.voyage_id));

CREATE POLICY of_own_voyage ON held_rows
USING (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = held_rows.voyage_id))
WITH CHECK (EXISTS (SELECT FROM voyages AS v WHERE v.voyage_id = held_rows.voyage_id));

CREATE POLICY of_own_list ON manifest_problems
USING (EXISTS (SELECT FROM manifests AS m WHERE m.manifest_id = manifest_problems.manifest_id))
WITH CHECK (EXISTS (SELECT FROM manifests AS m WHERE m.manifest_id = manifest_problems.manifest_id));

CREATE POLICY of_own_arrival ON referred_needs FOR SELECT
USING (EXISTS (SELECT FROM arrivals AS a WHERE a.case_id = referred_needs.case_id));
