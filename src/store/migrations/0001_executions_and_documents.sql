-- Times are milliseconds since 1970-01-01T00:00:00Z. Only what SQLite and PostgreSQL both understand stands here.

CREATE TABLE execution (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    application TEXT NOT NULL,
    status TEXT NOT NULL,
    seq BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    due_ms BIGINT,
    verdict TEXT,
    score DOUBLE PRECISION,
    config_name TEXT NOT NULL,
    sentence TEXT NOT NULL,
    -- The number of the newest claim, also of one that was given back.
    fencing BIGINT NOT NULL,
    -- Both are null while nobody holds it.
    lease_worker TEXT,
    lease_until_ms BIGINT
);

-- Lists go through one of these, once for each kind and status word (see `tally`), so that their cost does not grow with
-- what has ended.
CREATE INDEX execution_made ON execution (kind, status, created_ms, id);
CREATE INDEX execution_of_application ON execution (application, kind, status, created_ms, id);
-- Claims and retention see only what is due and what has ended.
CREATE INDEX execution_due ON execution (due_ms, id) WHERE due_ms IS NOT NULL;
CREATE INDEX execution_ended ON execution (ended_ms, id) WHERE ended_ms IS NOT NULL;

CREATE TABLE journal (
    execution TEXT NOT NULL REFERENCES execution (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (execution, seq)
);

CREATE TABLE idempotency (
    key TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    execution TEXT NOT NULL REFERENCES execution (id) ON DELETE CASCADE
);
CREATE INDEX idempotency_execution ON idempotency (execution);

-- How many executions there are; the words that occur.
CREATE TABLE tally (
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (kind, status)
);

CREATE TABLE document (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX document_name ON document (kind, name);

CREATE TABLE document_application (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    -- From 0 on, in the document's order.
    position BIGINT NOT NULL,
    application TEXT NOT NULL,
    PRIMARY KEY (kind, id, position),
    FOREIGN KEY (kind, id) REFERENCES document (kind, id) ON DELETE CASCADE
);
CREATE INDEX document_application_name ON document_application (kind, application);
