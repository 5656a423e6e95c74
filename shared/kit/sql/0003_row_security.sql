SET LOCAL lock_timeout = '5s';

-- For whom a transaction acts; the kit sets this when it begins (shared/kit/database.py). Without it: nobody.
-- Policies call these as `(SELECT acting_organisation())`, which is asked once for a statement, not for each row.
CREATE FUNCTION acting_as_service() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('rujukan.scope', TRUE) = 'service', FALSE);

CREATE FUNCTION acting_id() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('rujukan.actor', TRUE), '');

CREATE FUNCTION acting_organisation() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('rujukan.organisation', TRUE), '');

CREATE FUNCTION acting_port() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('rujukan.port', TRUE), '');

CREATE FUNCTION acting_region() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('rujukan.region', TRUE), '');

CREATE FUNCTION acting_in_role(VARIADIC roles text[]) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(string_to_array(current_setting('rujukan.roles', TRUE), '/') && roles, FALSE);

-- Who repeats a write is answered what was answered first; nobody else is.
CREATE POLICY own_answers ON answers USING (actor = (SELECT acting_id()))
WITH CHECK (actor = (SELECT acting_id()));

-- A view reads with the rights of who asks, not of who made it.
ALTER VIEW waiting SET (security_invoker = TRUE);
