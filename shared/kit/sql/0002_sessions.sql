SET LOCAL lock_timeout = '5s';

-- Who is signed in. The browser holds a random id; here is only its SHA-256, so that reading this table lets
-- nobody in. A session ends half an hour after it was last used and twelve hours after it began.
CREATE TABLE sessions (
    session_hash bytea PRIMARY KEY,
    actor_id text NOT NULL,
    organisation text NOT NULL,
    roles text[] NOT NULL,
    port text,
    region text,
    signed_in_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT session_hash_is_a_sha256 CHECK (octet_length(session_hash) = 32),
    CONSTRAINT session_ends_after_it_began CHECK (expires_at > signed_in_at)
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
