SET LOCAL lock_timeout = '5s';

-- What had ended when the port struck it stays as it ended; nobody but the port opens it again.
ALTER TABLE referrals ADD COLUMN is_struck boolean NOT NULL DEFAULT FALSE;
