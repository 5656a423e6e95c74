SET LOCAL lock_timeout = '5s';

-- The case of who was logged one by one while a row of a list was held back for them. Once that is entered in error, the
-- row is held back again. No foreign key: a case is never removed.
ALTER TABLE held_rows ADD COLUMN logged_as uuid;
