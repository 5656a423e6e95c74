SET LOCAL lock_timeout = '5s';

-- The province where help is due, as a column: policies are asked before every condition that might betray a row, and
-- `left()` counts as one, so an index on `left(regency, 2)` could not be used under them any more. Generated, so that
-- no writer can differ; the table is written anew for it, this once.
-- squawk-ignore adding-field-with-default
ALTER TABLE referrals ADD COLUMN province text GENERATED ALWAYS AS (left(regency, 2)) STORED;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX referrals_closed;
CREATE INDEX referrals_closed ON referrals (province, ended_at, referral_id) WHERE ended_at IS NOT NULL;

-- People and clients see; they write nothing here by themselves. An answer is looked up in the scope of who gives it,
-- and what it leads to, the own row included, is written by the service itself: another agency is asked, a supervisor
-- told (shared/kit/sql/0003_row_security.sql). Explanations are the service's too, since they belong to a need that
-- was found before.
CREATE POLICY own_agency ON assignments FOR SELECT
USING (
    agency_id = (
        SELECT CASE WHEN acting_in_role('agency_worker', 'agency_supervisor', 'agency_system')
            THEN acting_organisation() END
    )
);

-- Reads assignments under the policy above, which reads no other table. That is why supervisors have no policy there:
-- it would have to read referrals for the region, and two tables whose policies read each other are refused as
-- endless. What the attempts of a need in the region come to is looked up by the service itself.
-- OFFSET 0: looked up by need, never answered from a table of all that the agency may see.
CREATE POLICY own_agency ON referrals FOR SELECT
USING (
    (SELECT acting_in_role('agency_worker', 'agency_supervisor', 'agency_system'))
    AND EXISTS (SELECT FROM assignments AS a WHERE a.referral_id = referrals.referral_id OFFSET 0)
);

-- A supervisor answers for a province with its regencies, or for one regency.
CREATE POLICY own_region ON referrals FOR SELECT
USING (
    (SELECT acting_in_role('agency_supervisor'))
    AND province = (SELECT left(acting_region(), 2)) AND (SELECT acting_region()) IN (regency, province)
);

CREATE POLICY own_region ON escalations FOR SELECT
USING (
    (SELECT acting_in_role('agency_supervisor'))
    AND EXISTS (
        SELECT FROM referrals AS r WHERE r.referral_id = escalations.referral_id
        AND r.province = (SELECT left(acting_region(), 2)) AND (SELECT acting_region()) IN (r.regency, r.province)
        OFFSET 0
    )
);

CREATE POLICY own_region ON gaps FOR SELECT
USING (
    (SELECT acting_in_role('agency_supervisor'))
    AND EXISTS (
        SELECT FROM referrals AS r WHERE r.referral_id = gaps.referral_id
        AND r.province = (SELECT left(acting_region(), 2)) AND (SELECT acting_region()) IN (r.regency, r.province)
        OFFSET 0
    )
);

-- The directory is for everybody who is signed in, in whatever role.
CREATE POLICY everybody ON agencies FOR SELECT
USING (
    (SELECT acting_in_role(
        'agency_worker', 'agency_supervisor', 'agency_system', 'coordinator', 'operator', 'auditor', 'service',
        'port_officer', 'ngo_member', 'ngo_system', 'data_protection_officer'
    ))
);
