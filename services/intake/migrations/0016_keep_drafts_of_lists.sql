SET LOCAL lock_timeout = '5s';

-- A list that was uploaded and is not done with: sealed, under a key of its own that is destroyed when it ends. What
-- stands here in the clear are codes and counts.
CREATE TABLE drafts (
    draft_id uuid PRIMARY KEY,
    voyage_id uuid NOT NULL REFERENCES voyages,
    port text NOT NULL,
    state text NOT NULL,
    form text NOT NULL,
    file_digest bytea NOT NULL,
    sender bytea,
    upload integer NOT NULL,
    version integer NOT NULL,
    lines integer NOT NULL,
    ready integer NOT NULL,
    mend integer NOT NULL,
    twice integer NOT NULL,
    known integer NOT NULL,
    empty integer NOT NULL,
    left_out integer NOT NULL,
    header bytea NOT NULL,
    owner text NOT NULL,
    created_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT draft_state_is_known CHECK (state IN ('open', 'sending', 'sent', 'discarded', 'expired', 'erased')),
    CONSTRAINT draft_form_is_known CHECK (form IN ('csv', 'xlsx', 'paste')),
    CONSTRAINT draft_counts_add_up CHECK (lines = ready + mend + twice + known + empty + left_out),
    CONSTRAINT draft_counts_are_not_negative CHECK (
        ready >= 0 AND mend >= 0 AND twice >= 0 AND known >= 0 AND empty >= 0 AND left_out >= 0
    ),
    CONSTRAINT draft_digests_have_their_length CHECK (
        octet_length(file_digest) = 16 AND (sender IS NULL OR octet_length(sender) = 16)
    ),
    CONSTRAINT draft_counts_from_one CHECK (version >= 1 AND upload >= 1),
    CONSTRAINT ended_draft_keeps_nothing CHECK (
        (ended_at IS NOT NULL) = (state NOT IN ('open', 'sending'))
        AND (ended_at IS NULL OR octet_length(header) = 0)
    ),
    CONSTRAINT sent_draft_has_nothing_left CHECK (state <> 'sent' OR (ready = 0 AND mend = 0 AND twice = 0))
);
CREATE UNIQUE INDEX draft_of_a_file_is_one ON drafts (voyage_id, file_digest) WHERE ended_at IS NULL;
CREATE INDEX drafts_under_way ON drafts (port, changed_at) WHERE ended_at IS NULL;
COMMENT ON TABLE drafts IS 'lists that were uploaded and are not done with, in counts; what they say is sealed';

-- The rows of a draft, some hundreds in a block, sealed under the draft's key. `standings` has a letter for each.
CREATE TABLE draft_blocks (
    draft_id uuid NOT NULL REFERENCES drafts,
    block integer NOT NULL,
    standings text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (draft_id, block),
    CONSTRAINT draft_block_counts_from_nought CHECK (block >= 0),
    CONSTRAINT draft_standings_are_known CHECK (standings ~ '^[rmtkeo]+$')
);
COMMENT ON TABLE draft_blocks IS 'what an uploaded list says, sealed; gone when its draft ends';

CREATE TABLE draft_keys (
    draft_id uuid PRIMARY KEY REFERENCES drafts,
    wrapped_key bytea NOT NULL,
    CONSTRAINT wrapped_draft_key_has_its_length CHECK (octet_length(wrapped_key) = 64)
);
COMMENT ON TABLE draft_keys IS 'one wrapped key for each draft under way; deleting it ends what can be read';

-- Which field a sender means by a heading, as somebody of the port once said; both as keyed digests.
CREATE TABLE sender_columns (
    port text NOT NULL,
    sender bytea NOT NULL,
    heading bytea NOT NULL,
    field text NOT NULL,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    PRIMARY KEY (port, sender, heading),
    CONSTRAINT sender_digests_have_their_length CHECK (octet_length(sender) = 16 AND octet_length(heading) = 16)
);
COMMENT ON TABLE sender_columns IS 'what the headings of a sender mean; no name and no heading stands here';

CREATE POLICY own_port ON drafts
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')))
WITH CHECK (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));

CREATE POLICY of_own_draft ON draft_blocks
USING (EXISTS (SELECT FROM drafts AS d WHERE d.draft_id = draft_blocks.draft_id OFFSET 0))
WITH CHECK (EXISTS (SELECT FROM drafts AS d WHERE d.draft_id = draft_blocks.draft_id OFFSET 0));

CREATE POLICY own_port ON sender_columns
USING (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')))
WITH CHECK (port = (SELECT acting_port()) AND (SELECT acting_in_role('port_officer', 'port_system')));
