CREATE TABLE service (id INTEGER PRIMARY KEY, grp TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (grp, name));
CREATE TABLE result (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, last INTEGER NOT NULL, times INTEGER NOT NULL,
    service INTEGER NOT NULL REFERENCES service, source TEXT, exit INTEGER, status INTEGER NOT NULL,
    summary TEXT, detail TEXT);
CREATE INDEX result_of_service ON result (service, id);
CREATE TABLE verdict (
    id INTEGER PRIMARY KEY, decision INTEGER NOT NULL, at INTEGER NOT NULL,
    service INTEGER NOT NULL REFERENCES service, what TEXT NOT NULL, exit INTEGER, summary TEXT,
    period TEXT, line INTEGER, sent INTEGER, rule TEXT, ruling TEXT);
CREATE INDEX verdict_of_service ON verdict (service, id);
CREATE TABLE alert (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, service INTEGER NOT NULL REFERENCES service,
    what TEXT NOT NULL, period TEXT, line INTEGER NOT NULL, program TEXT NOT NULL, arguments TEXT NOT NULL,
    run INTEGER, ended INTEGER, ending TEXT, code INTEGER, words TEXT);
CREATE INDEX alert_of_service ON alert (service, id);
CREATE INDEX alert_running ON alert (run) WHERE run IS NOT NULL;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, service INTEGER REFERENCES service, what TEXT NOT NULL,
    who TEXT, text TEXT);
CREATE INDEX event_of_service ON event (service, id);
PRAGMA user_version = 1;
INSERT INTO service VALUES (1, 'web', 'http');
INSERT INTO event VALUES (1, 1000, NULL, 'start', '', '');
INSERT INTO result VALUES (2, 1001, 1240, 5, 1, 'monitor', 1, 0, 'down', 'more
');
INSERT INTO verdict VALUES (3, 3, 1001, 1, 'failure', 1, 'down', 'P', 7, 1, NULL, ' sent=1 lines=8');
INSERT INTO alert VALUES (4, 1001, 1, 'failure', 'P', 8, '/a/mail.alert', 'me', NULL, 1002, 'exit', 0, '');
