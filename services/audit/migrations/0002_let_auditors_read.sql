SET LOCAL lock_timeout = '5s';

-- Auditors and the data-protection officer read the whole ledger and write nothing. What is public by design, the hashes
-- and what was signed, is served by the service itself (shared/kit/sql/0003_row_security.sql).
CREATE POLICY readers ON leaves FOR SELECT
USING ((SELECT acting_in_role('auditor', 'data_protection_officer')));

CREATE POLICY readers ON tiles FOR SELECT
USING ((SELECT acting_in_role('auditor', 'data_protection_officer')));

CREATE POLICY readers ON checkpoints FOR SELECT
USING ((SELECT acting_in_role('auditor', 'data_protection_officer')));
