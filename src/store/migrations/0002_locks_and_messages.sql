-- Times are milliseconds since 1970-01-01T00:00:00Z. Only what SQLite and PostgreSQL both understand stands here.

-- A row for each lock that was ever taken: its number never goes back.
CREATE TABLE lock (
    name TEXT NOT NULL PRIMARY KEY,
    -- The number of the newest taking, also of one that was given back.
    fencing BIGINT NOT NULL,
    -- Null while nobody has it.
    owner TEXT REFERENCES execution (id) ON DELETE SET NULL
);
CREATE INDEX lock_owner ON lock (owner) WHERE owner IS NOT NULL;

-- The outbox. A message that waits outlives its execution, so there is no reference to it.
CREATE TABLE message (
    key TEXT NOT NULL PRIMARY KEY,
    execution TEXT NOT NULL,
    channel TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- Null once it is settled; then one of the two that follow is not null.
    due_ms BIGINT,
    delivered_ms BIGINT,
    given_up_ms BIGINT,
    -- Why the last try failed; empty where none did.
    error TEXT NOT NULL
);
CREATE INDEX message_due ON message (due_ms, key) WHERE due_ms IS NOT NULL;
CREATE INDEX message_execution ON message (execution, created_ms, key);
