-- Accounts of a ClickHouse server for assay, each with the least that it needs. Run
-- as somebody who may make users and has these rights with GRANT OPTION, then
-- `assay migrate` as {{.Database}}_admin. Put passwords of your own in place first.
-- Servers that keep users in files take deploy/clickhouse/users.xml instead.

CREATE SETTINGS PROFILE IF NOT EXISTS {{.Database}}_writer
SETTINGS async_insert = 0, insert_deduplicate = 1, receive_timeout = 10;

-- May choose settings, may change nothing, and cannot raise its own limits.
CREATE SETTINGS PROFILE IF NOT EXISTS {{.Database}}_reader
SETTINGS readonly = 2,
    max_execution_time = 60 MIN 1 MAX 600,
    max_memory_usage = 2000000000 MIN 1 MAX 2000000000,
    max_temporary_data_on_disk_size_for_user = 10000000000 CONST,
    timeout_overflow_mode = 'throw' CONST,
    log_queries = 1 CONST,
    send_logs_level = 'fatal' CONST,
    optimize_functions_to_subcolumns = 0;

CREATE SETTINGS PROFILE IF NOT EXISTS {{.Database}}_dictionary
SETTINGS readonly = 2;

-- Migrations. No running process uses it.
CREATE USER IF NOT EXISTS {{.Database}}_admin IDENTIFIED BY 'PASSWORD OF {{.Database}}_admin' SETTINGS PROFILE '{{.Database}}_writer';
GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, CHECK, UNDROP TABLE, BACKUP, dictGet ON {{.Database}}.* TO {{.Database}}_admin;
GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, CHECK, UNDROP TABLE, BACKUP, dictGet ON {{.Database}}_node.* TO {{.Database}}_admin;
GRANT READ, WRITE ON REMOTE TO {{.Database}}_admin;
GRANT CREATE TEMPORARY TABLE ON *.* TO {{.Database}}_admin;
GRANT SELECT ON system.processes TO {{.Database}}_admin;
GRANT SELECT ON system.parts TO {{.Database}}_admin;
GRANT SHOW, SELECT, ALTER, CREATE, DROP ON {{.Views}}.* TO {{.Database}}_admin;
GRANT TABLE ENGINE ON * TO {{.Database}}_admin;
GRANT NAMED COLLECTION ON assay_dictionary TO {{.Database}}_admin;
GRANT SELECT ON system.backups TO {{.Database}}_admin;

-- assay ingest, guard and serve.
CREATE USER IF NOT EXISTS {{.Database}}_writer IDENTIFIED BY 'PASSWORD OF {{.Database}}_writer' SETTINGS PROFILE '{{.Database}}_writer';
GRANT SELECT, INSERT, dictGet ON {{.Database}}.* TO {{.Database}}_writer;
GRANT SELECT, INSERT, dictGet ON {{.Database}}_node.* TO {{.Database}}_writer;
GRANT SELECT ON {{.Views}}.* TO {{.Database}}_writer;
GRANT SELECT ON system.processes TO {{.Database}}_writer;
GRANT SELECT ON system.parts TO {{.Database}}_writer;
GRANT SYSTEM SYNC REPLICA ON {{.Database}}.* TO {{.Database}}_writer;
GRANT SYSTEM SYNC REPLICA ON {{.Database}}_node.* TO {{.Database}}_writer;

-- assay backup. Restoring needs {{.Database}}_admin.
CREATE USER IF NOT EXISTS {{.Database}}_backup IDENTIFIED BY 'PASSWORD OF {{.Database}}_backup' SETTINGS PROFILE '{{.Database}}_writer';
GRANT SELECT, BACKUP ON {{.Database}}.* TO {{.Database}}_backup;
GRANT SELECT, BACKUP ON {{.Database}}_node.* TO {{.Database}}_backup;
GRANT INSERT ON {{.Database}}.backups TO {{.Database}}_backup;
GRANT SELECT ON system.backups TO {{.Database}}_backup;

-- People and dashboards: the documented views and nothing else.
CREATE USER IF NOT EXISTS {{.Database}}_reader IDENTIFIED BY 'PASSWORD OF {{.Database}}_reader' DEFAULT DATABASE {{.Views}} SETTINGS PROFILE '{{.Database}}_reader';
GRANT SELECT ON {{.Views}}.* TO {{.Database}}_reader;

-- The server itself, when a constraint of the ledger asks for the last part: the user
-- of the named collection assay_dictionary (deploy/clickhouse/config.xml).
CREATE USER IF NOT EXISTS {{.Database}}_dictionary IDENTIFIED BY 'PASSWORD OF {{.Database}}_dictionary' HOST LOCAL SETTINGS PROFILE '{{.Database}}_dictionary';
GRANT SELECT ON {{.Database}}.* TO {{.Database}}_dictionary;
GRANT SELECT ON {{.Database}}_node.* TO {{.Database}}_dictionary;
