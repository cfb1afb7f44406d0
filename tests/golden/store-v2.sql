PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES(1,'executions and documents','2026-11-26 09:26:57',1,X'3e8b0c47bebff815ba5ad53731afc38173dc22907cbc0a74c49758c6492b85d4ccf39a0b50e55510fc9d0bcca6100b76',4351393);
INSERT INTO _sqlx_migrations VALUES(2,'locks and messages','2026-11-26 09:26:57',1,X'929abf96ce270a27149c94441b2b374f47fbde797ebc8dcb374404ec2dcae0c9072f6b4e24fe3f26df24845c420a0784',2907344);
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
INSERT INTO execution VALUES('a','canary','shop','running',1,1000,1001,NULL,1000,NULL,NULL,'','Waits for the first interval',1,'w',2000);
INSERT INTO execution VALUES('b','canary','shop','succeeded',3,1000,1001,2000,NULL,'marginal',81.25,'checkout','Waits for the first interval',0,NULL,NULL);
CREATE TABLE journal (
    execution TEXT NOT NULL REFERENCES execution (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (execution, seq)
);
INSERT INTO journal VALUES('a',1,1001,'{"event":1,"quote":"it''s \"ok\" – ü"}');
INSERT INTO journal VALUES('b',1,1001,'{"event":1,"quote":"it''s \"ok\" – ü"}');
INSERT INTO journal VALUES('b',2,1002,'{"event":2,"quote":"it''s \"ok\" – ü"}');
INSERT INTO journal VALUES('b',3,1003,'{"event":3,"quote":"it''s \"ok\" – ü"}');
CREATE TABLE idempotency (
    key TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    execution TEXT NOT NULL REFERENCES execution (id) ON DELETE CASCADE
);
INSERT INTO idempotency VALUES('k','f','b');
CREATE TABLE tally (
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (kind, status)
);
INSERT INTO tally VALUES('canary','running',1);
INSERT INTO tally VALUES('canary','succeeded',1);
CREATE TABLE document (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
INSERT INTO document VALUES('canary_config','1','checkout',1,2,'{"name":"checkout"}');
CREATE TABLE document_application (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    -- From 0 on, in the document's order.
    position BIGINT NOT NULL,
    application TEXT NOT NULL,
    PRIMARY KEY (kind, id, position),
    FOREIGN KEY (kind, id) REFERENCES document (kind, id) ON DELETE CASCADE
);
INSERT INTO document_application VALUES('canary_config','1',0,'shop');
INSERT INTO document_application VALUES('canary_config','1',1,'pay');
CREATE TABLE lock (
    name TEXT NOT NULL PRIMARY KEY,
    -- The number of the newest taking, also of one that was given back.
    fencing BIGINT NOT NULL,
    -- Null while nobody has it.
    owner TEXT REFERENCES execution (id) ON DELETE SET NULL
);
INSERT INTO lock VALUES('shop',2,'a');
INSERT INTO lock VALUES('pay',1,NULL);
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
INSERT INTO message VALUES('delivered','b','on-call','{"title":"it''s – ü"}',2000,1,NULL,2001,NULL,'');
INSERT INTO message VALUES('given up','b','on-call','{"title":"it''s – ü"}',2000,1,NULL,NULL,2002,'410 Gone');
INSERT INTO message VALUES('waiting','b','on-call','{"title":"it''s – ü"}',2000,1,3000,NULL,NULL,'503 Service Unavailable');
CREATE INDEX execution_made ON execution (kind, status, created_ms, id);
CREATE INDEX execution_of_application ON execution (application, kind, status, created_ms, id);
CREATE INDEX execution_due ON execution (due_ms, id) WHERE due_ms IS NOT NULL;
CREATE INDEX execution_ended ON execution (ended_ms, id) WHERE ended_ms IS NOT NULL;
CREATE INDEX idempotency_execution ON idempotency (execution);
CREATE INDEX document_name ON document (kind, name);
CREATE INDEX document_application_name ON document_application (kind, application);
CREATE INDEX lock_owner ON lock (owner) WHERE owner IS NOT NULL;
CREATE INDEX message_due ON message (due_ms, key) WHERE due_ms IS NOT NULL;
CREATE INDEX message_execution ON message (execution, created_ms, key);
COMMIT;
