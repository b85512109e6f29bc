-- The largest tables in partitions (PostgreSQL 15): run by the owner of the tables, in one transaction, while the services are stopped.
-- The program works on them as on plain ones; tests/store/test_partitions.py runs this file. Many more parts than here for a nation.

-- Changes of status and audit rows, by their numbers: whole parts are detached when nobody needs them any more, or moved to slower disks.
-- A part must be there before its first number is.
CREATE TABLE parted (LIKE status_changes INCLUDING DEFAULTS) PARTITION BY RANGE (sequence);
CREATE TABLE status_changes_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000000);
CREATE TABLE status_changes_rest PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT * FROM status_changes;
ALTER SEQUENCE status_changes_sequence_seq OWNED BY parted.sequence;
DROP TABLE status_changes;
ALTER TABLE parted RENAME TO status_changes;
ALTER TABLE status_changes ADD CONSTRAINT status_changes_key PRIMARY KEY (sequence);

CREATE TABLE parted (LIKE audit_rows) PARTITION BY RANGE (sequence);
CREATE TABLE audit_rows_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000000);
CREATE TABLE audit_rows_rest PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT * FROM audit_rows;
DROP TABLE audit_rows;
ALTER TABLE parted RENAME TO audit_rows;
ALTER TABLE audit_rows ADD CONSTRAINT audit_rows_key PRIMARY KEY (sequence);

-- Certificates and revocations, by serials. These are drawn by chance: all parts grow alike. A violation names the constraint of the part, and
-- the program knows what it means by the constraint's name: so each part is in a schema of its own, where it has the same one.
CREATE SCHEMA part_1;
CREATE SCHEMA part_2;
ALTER TABLE revocations DROP CONSTRAINT revocations_issuer_serial_known;
ALTER TABLE releases DROP CONSTRAINT releases_issuer_serial_known;
CREATE TABLE parted (LIKE certificates INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY HASH (serial);
CREATE TABLE part_1.certificates PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_2.certificates PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT * FROM certificates;
DROP TABLE certificates;
ALTER TABLE parted RENAME TO certificates;
ALTER TABLE certificates ADD CONSTRAINT certificates_key PRIMARY KEY (issuer, serial);
ALTER TABLE certificates ADD CONSTRAINT certificates_resident_id_known FOREIGN KEY (resident_id) REFERENCES residents (id);
ALTER TABLE certificates ADD CONSTRAINT certificates_application_id_known FOREIGN KEY (application_id) REFERENCES applications (id);
CREATE INDEX certificates_by_resident_id ON certificates (resident_id);
CREATE INDEX certificates_by_application_id ON certificates (application_id, kind);
CREATE INDEX certificates_by_not_after ON certificates (not_after, issuer, serial);
CREATE INDEX certificates_overdue ON certificates (reserved_at, application_id) WHERE ended_at IS NULL AND pending;
CREATE INDEX certificates_renewed ON certificates (line) WHERE line IS NOT NULL;

CREATE TABLE parted (LIKE revocations INCLUDING DEFAULTS) PARTITION BY HASH (serial);
CREATE TABLE part_1.revocations PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_2.revocations PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT * FROM revocations;
DROP TABLE revocations;
ALTER TABLE parted RENAME TO revocations;
ALTER TABLE revocations ADD CONSTRAINT revocations_key PRIMARY KEY (issuer, serial);
ALTER INDEX part_1.revocations_pkey RENAME TO revocations_key;
ALTER INDEX part_2.revocations_pkey RENAME TO revocations_key;
ALTER TABLE revocations ADD CONSTRAINT revocations_issuer_serial_known
    FOREIGN KEY (issuer, serial) REFERENCES certificates (issuer, serial);
ALTER TABLE releases ADD CONSTRAINT releases_issuer_serial_known
    FOREIGN KEY (issuer, serial) REFERENCES certificates (issuer, serial);
CREATE INDEX revocations_listed ON revocations (issuer, municipality, serial, revoked_at, reason, not_after);
CREATE TRIGGER revocations_counted AFTER INSERT OR DELETE OR UPDATE OF issuer, serial, municipality, revoked_at, reason ON revocations
    FOR EACH ROW EXECUTE FUNCTION count_revocations();
CREATE INDEX revocations_by_not_after ON revocations (not_after);
CREATE INDEX revocations_held ON revocations (revoked_at, issuer, serial) WHERE reason = 6;
CREATE INDEX revocations_unreported ON revocations (revoked_at, issuer, serial) WHERE reason = 6 AND reported_at IS NULL;

-- What may never happen twice, and has no serial in it, is unique in tables of its own, under the same names. Their rows are short: they stay whole.
CREATE TABLE certificate_keys (spki_digest bytea, CONSTRAINT certificates_spki_digest_once PRIMARY KEY (spki_digest));
CREATE TABLE certificate_kinds (application_id bigint, kind text,
    CONSTRAINT certificates_application_id_kind_once PRIMARY KEY (application_id, kind));
CREATE TABLE certificates_live (resident_id bigint, kind text, carrier text,
    CONSTRAINT certificates_live_once PRIMARY KEY (resident_id, kind, carrier));
CREATE TABLE certificates_pending (resident_id bigint, kind text, carrier text,
    CONSTRAINT certificates_pending_once PRIMARY KEY (resident_id, kind, carrier));
INSERT INTO certificate_keys SELECT spki_digest FROM certificates;
INSERT INTO certificate_kinds SELECT application_id, kind FROM certificates;
INSERT INTO certificates_live SELECT resident_id, kind, carrier FROM certificates WHERE ended_at IS NULL AND NOT pending;
INSERT INTO certificates_pending SELECT resident_id, kind, carrier FROM certificates WHERE ended_at IS NULL AND pending;

CREATE FUNCTION keep_certificates_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.ended_at IS NULL THEN
        DELETE FROM certificates_live WHERE NOT OLD.pending AND (resident_id, kind, carrier) = (OLD.resident_id, OLD.kind, OLD.carrier);
        DELETE FROM certificates_pending WHERE OLD.pending AND (resident_id, kind, carrier) = (OLD.resident_id, OLD.kind, OLD.carrier);
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM certificate_keys WHERE spki_digest = OLD.spki_digest;
        DELETE FROM certificate_kinds WHERE (application_id, kind) = (OLD.application_id, OLD.kind);
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO certificate_keys VALUES (NEW.spki_digest);
        INSERT INTO certificate_kinds VALUES (NEW.application_id, NEW.kind);
    END IF;
    IF NEW.ended_at IS NULL AND NEW.pending THEN
        INSERT INTO certificates_pending VALUES (NEW.resident_id, NEW.kind, NEW.carrier);
    ELSIF NEW.ended_at IS NULL THEN
        INSERT INTO certificates_live VALUES (NEW.resident_id, NEW.kind, NEW.carrier);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER certificates_once_made AFTER INSERT OR DELETE ON certificates
    FOR EACH ROW EXECUTE FUNCTION keep_certificates_once();
CREATE TRIGGER certificates_once_changed AFTER UPDATE OF ended_at, pending, resident_id ON certificates
    FOR EACH ROW EXECUTE FUNCTION keep_certificates_once();
