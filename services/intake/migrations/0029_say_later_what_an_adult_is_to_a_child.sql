SET LOCAL lock_timeout = '5s';

-- What the adult is to the child, and what shows that, may be said once the two are linked, each once; nothing else of
-- a link that stands is written over.
CREATE OR REPLACE FUNCTION refuse_rewritten_guardian() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state = 'ended' OR new.version <> old.version + 1 OR new.state = 'proposed'
        OR (new.link_id, new.child_case_id, new.adult_case_id, new.port, new.is_listed, new.proposed_by, new.proposed_at)
        IS DISTINCT FROM (old.link_id, old.child_case_id, old.adult_case_id, old.port, old.is_listed, old.proposed_by, old.proposed_at)
        OR old.relation NOT IN ('not_stated', new.relation)
        OR old.proof NOT IN ('none', new.proof)
        OR (old.state = 'confirmed' AND new.state = 'confirmed') = ((new.relation, new.proof) = (old.relation, old.proof))
        OR (old.state = 'confirmed' AND (new.confirmed_by, new.confirmed_at) IS DISTINCT FROM (old.confirmed_by, old.confirmed_at))
    THEN
        RAISE EXCEPTION 'the history of link % is not rewritten', old.link_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'guardian_link_is_not_rewritten';
    END IF;
    RETURN NEW;
END $$;
