SET LOCAL lock_timeout = '5s';

-- What stood in the way of whoever came nearest to being asked; unknown of gaps from before, until they are tried again.
ALTER TABLE gaps ADD COLUMN reason text;
ALTER TABLE gaps ADD CONSTRAINT gap_reason_is_known CHECK (
    reason IN ('no_terms', 'no_rule', 'no_office', 'suspended', 'never_by_itself', 'not_eligible')
) NOT VALID;
