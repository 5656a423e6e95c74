SET LOCAL lock_timeout = '5s';

-- For which organisation a subscriber's person or system acts; NULL for everybody else.
CREATE FUNCTION acting_subscriber() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN acting_in_role('ngo_member', 'ngo_system') THEN acting_organisation() END;

-- Operators look after the subscriptions of all, unless they belong to a subscriber themselves.
CREATE FUNCTION acting_operator() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN acting_in_role('operator') AND NOT acting_in_role('ngo_member', 'ngo_system');

-- A subscription is made by those it belongs to; they and operators see it, pause it, resume it, test it.
CREATE POLICY seen ON subscriptions FOR SELECT
USING (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()));

CREATE POLICY made ON subscriptions FOR INSERT
WITH CHECK (organisation = (SELECT acting_subscriber()));

CREATE POLICY changed ON subscriptions FOR UPDATE
USING (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()))
WITH CHECK (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()));

-- Notices are queued by the service; a person looks at them and sends one again.
CREATE POLICY seen ON deliveries FOR SELECT
USING (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()));

CREATE POLICY changed ON deliveries FOR UPDATE
USING (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()))
WITH CHECK (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()));

-- Tasks are opened by the service; a person closes them.
CREATE POLICY seen ON tasks FOR SELECT
USING (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()));

CREATE POLICY changed ON tasks FOR UPDATE
USING (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()))
WITH CHECK (organisation = (SELECT acting_subscriber()) OR (SELECT acting_operator()));

-- What hangs on a subscription or a notice is seen by who sees that: these read under the policies above.
-- OFFSET 0: looked up by id, never answered from a table of all that may be seen.
CREATE POLICY of_subscription ON circuits FOR SELECT
USING (EXISTS (SELECT FROM subscriptions AS s WHERE s.subscription_id = circuits.subscription_id OFFSET 0));

CREATE POLICY of_subscription_changed ON circuits FOR UPDATE
USING (EXISTS (SELECT FROM subscriptions AS s WHERE s.subscription_id = circuits.subscription_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM subscriptions AS s WHERE s.subscription_id = circuits.subscription_id OFFSET 0));

CREATE POLICY of_delivery ON attempts FOR SELECT
USING (EXISTS (SELECT FROM deliveries AS d WHERE d.delivery_id = attempts.delivery_id OFFSET 0));

-- Counts without cases tell whoever writes a filter how much it will match.
CREATE POLICY subscribers ON heard_counts FOR SELECT
USING ((SELECT acting_in_role('ngo_member', 'ngo_system')));
