SET LOCAL lock_timeout = '5s';

-- What a person is shown of the own sessions, and by which the identity provider ends one. `device_id` names a session
-- on a page and opens nothing; `device` is a browser family and a system in codes, like `firefox:android`.
ALTER TABLE sessions
    ADD COLUMN device_id uuid,
    ADD COLUMN device text NOT NULL DEFAULT 'other:other',
    ADD COLUMN authenticated_at timestamptz,
    ADD COLUMN provider_session text;
-- Set apart, so that no row is rewritten; sessions that go on get theirs here.
ALTER TABLE sessions ALTER COLUMN device_id SET DEFAULT gen_random_uuid();
UPDATE sessions SET device_id = gen_random_uuid();
CREATE INDEX sessions_by_person ON sessions (actor_id);
CREATE INDEX sessions_by_provider_session ON sessions (provider_session) WHERE provider_session IS NOT NULL;

-- Whose access was taken away (`ended_at`: what was issued until then counts no more; `barred_at`: nothing new is
-- given) or given back. Only the latest of each time is kept, so that what is heard late or twice changes nothing.
CREATE TABLE revocations (
    scope text NOT NULL,
    code text NOT NULL,
    why text,
    ended_at timestamptz,
    barred_at timestamptz,
    restored_at timestamptz,
    PRIMARY KEY (scope, code),
    CONSTRAINT revocation_scope_is_known CHECK (scope IN ('person', 'client', 'role', 'organisation')),
    CONSTRAINT revocation_says_something CHECK (ended_at IS NOT NULL OR restored_at IS NOT NULL)
);

-- What the identity provider's answers may be used for once alone: by a digest, until it has ended by itself.
CREATE TABLE used_answers (
    digest bytea PRIMARY KEY,
    ends_at timestamptz NOT NULL,
    CONSTRAINT used_answer_is_a_sha256 CHECK (octet_length(digest) = 32)
);
CREATE INDEX used_answers_by_end ON used_answers (ends_at);
