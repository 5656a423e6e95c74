SET LOCAL lock_timeout = '5s';

-- People look at these rows and settle them; what is added comes from the service itself, and nothing is taken away.
DROP POLICY own_agency ON erasure_tasks;
DROP POLICY own_region ON erasure_tasks;
DROP POLICY protection_officer ON erasure_tasks;
DROP POLICY own_region ON glasses;
DROP POLICY protection_officer ON glasses;

CREATE POLICY own_agency_sees ON erasure_tasks FOR SELECT USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_agency_confirms ON erasure_tasks FOR UPDATE USING (
    agency_id = (SELECT acting_organisation())
    AND (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
);
CREATE POLICY own_region_sees ON erasure_tasks FOR SELECT USING (
    (SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (region, left(region, 2))
);
CREATE POLICY own_region_confirms ON erasure_tasks FOR UPDATE USING (
    (SELECT acting_in_role('agency_supervisor')) AND (SELECT acting_region()) IN (region, left(region, 2))
);
CREATE POLICY protection_officer_sees ON erasure_tasks FOR SELECT
USING ((SELECT acting_in_role('data_protection_officer')));
CREATE POLICY protection_officer_confirms ON erasure_tasks FOR UPDATE
USING ((SELECT acting_in_role('data_protection_officer')));

CREATE POLICY own_region_sees ON glasses FOR SELECT USING (
    (SELECT acting_in_role('agency_supervisor')) AND told <> 'data_protection_officer'
    AND (SELECT acting_region()) IN (region, left(region, 2))
);
CREATE POLICY own_region_judges ON glasses FOR UPDATE USING (
    (SELECT acting_in_role('agency_supervisor')) AND told <> 'data_protection_officer'
    AND (SELECT acting_region()) IN (region, left(region, 2))
);
CREATE POLICY protection_officer_sees ON glasses FOR SELECT
USING ((SELECT acting_in_role('data_protection_officer')));
CREATE POLICY protection_officer_judges ON glasses FOR UPDATE
USING ((SELECT acting_in_role('data_protection_officer')));
