SET LOCAL lock_timeout = '5s';

-- Erasing ends that somebody is asked to complete. Who was erased by a version before that is left here.
UPDATE arrivals a SET unfinished = FALSE
WHERE a.unfinished AND NOT EXISTS (SELECT FROM person_keys k WHERE k.person_id = a.person_id);
