SET LOCAL lock_timeout = '5s';

-- The directory is for everybody who is signed in: the systems of ports had been left out.
ALTER POLICY everybody ON agencies
USING (
    (SELECT acting_in_role(
        'agency_worker', 'agency_supervisor', 'agency_system', 'coordinator', 'operator', 'auditor', 'service',
        'port_officer', 'port_system', 'ngo_member', 'ngo_system', 'data_protection_officer'
    ))
);
