SET LOCAL lock_timeout = '5s';

-- How long a write is known when it is repeated goes by our clock: the id of a case may be made by a tablet whose clock is
-- wrong. It is a day, because something of it is written with each arrival. Of writes before this the time is that in the id.
ALTER TABLE requests ADD COLUMN kept_on date;
CREATE INDEX requests_by_age ON requests USING brin (kept_on) WITH (pages_per_range = 16, autosummarize = on);

-- Where somebody was talked with, and in which language, are words that somebody wrote: they go with the answers.
CREATE OR REPLACE FUNCTION screening_loses_its_answers_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF octet_length(new.sealed) = 0 AND (new.place, new.language) IN ((old.place, old.language), ('', ''))
        AND to_jsonb(new) - '{sealed,place,language}'::text[] = to_jsonb(old) - '{sealed,place,language}'::text[] THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'screening % stays as it was kept: it can only lose its answers', old.screening_id
        USING ERRCODE = 'insufficient_privilege';
END $$;
UPDATE screenings SET place = '', language = '' WHERE octet_length(sealed) = 0;
