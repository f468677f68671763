import { DataUnavailableException } from '../../port/errors.js';
import { MAX_KEY_BYTES } from '../../port/key.js';
import { MAX_VALUE_BYTES } from '../../port/value.js';
import type { WeakSetting } from '../server/durability.js';
import type { ServerBackend } from '../server/server-backend.js';
import { checkLayout } from '../table-layout.js';

const LONGEST_VERSION = 64;
/** A write brings a key, a value and its version, and what the protocol adds. */
const LEAST_PACKET = MAX_VALUE_BYTES + 64 * 1024;

const COLUMNS = [
  `key varbinary(${MAX_KEY_BYTES}) NOT NULL PRI`,
  'value longtext utf8mb4',
  `version varbinary(${LONGEST_VERSION}) NOT NULL`,
];

/** Makes the table where it is missing, and looks at the one that is there. */
export async function prepareMysqlTable(backend: ServerBackend, table: string, signal: AbortSignal): Promise<void> {
  // Asked first, since a replica refuses even what would change nothing.
  const found = await layoutOf(backend, table, signal);
  if (found.length > 0) return checkLayout(table, found, COLUMNS);
  await backend.query(
    `CREATE TABLE IF NOT EXISTS \`${table}\` (` +
      `\`key\` VARBINARY(${MAX_KEY_BYTES}) NOT NULL PRIMARY KEY, ` +
      '`value` LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, ' +
      `\`version\` VARBINARY(${LONGEST_VERSION}) NOT NULL) ENGINE=InnoDB`,
    [],
    signal,
  );
  checkLayout(table, await layoutOf(backend, table, signal), COLUMNS);
}

async function layoutOf(backend: ServerBackend, table: string, signal: AbortSignal): Promise<string[]> {
  const { rows } = await backend.query<{ column: string }>(
    "SELECT CONCAT(COLUMN_NAME, ' ', LOWER(COLUMN_TYPE), IF(CHARACTER_SET_NAME IS NULL, '', ' '), " +
      "IFNULL(CHARACTER_SET_NAME, ''), IF(IS_NULLABLE = 'NO', ' NOT NULL', ''), " +
      "IF(COLUMN_KEY = 'PRI', ' PRI', '')) AS `column` FROM information_schema.COLUMNS " +
      'WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION',
    [table],
    signal,
  );
  return rows.map(({ column }) => column);
}

interface MysqlSettings {
  readonly flush: number;
  readonly binlog: number;
  readonly syncBinlog: number;
  readonly maxPacket: number;
  readonly version: string;
  readonly engine: string | null;
}

/**
 * Looks at what the server promises.
 *
 * @throws DataUnavailableException where it takes no value of 1 MiB.
 * @see https://dev.mysql.com/doc/refman/8.4/en/innodb-parameters.html#sysvar_innodb_flush_log_at_trx_commit
 */
export async function checkMysqlSettings(
  backend: ServerBackend,
  table: string,
  signal: AbortSignal,
): Promise<WeakSetting[]> {
  const { rows } = await backend.query<MysqlSettings>(
    'SELECT @@GLOBAL.innodb_flush_log_at_trx_commit AS flush, @@GLOBAL.log_bin AS binlog, ' +
      '@@GLOBAL.sync_binlog AS syncBinlog, @@GLOBAL.max_allowed_packet AS maxPacket, VERSION() AS version, ' +
      '(SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?) AS engine',
    [table],
    signal,
  );
  const [settings] = rows;
  if (settings === undefined) return [];
  if (Number(settings.maxPacket) < LEAST_PACKET) {
    throw new DataUnavailableException(
      `The server has max_allowed_packet=${settings.maxPacket}; expected at least ${LEAST_PACKET}, ` +
        `since a value may have ${MAX_VALUE_BYTES} bytes`,
    );
  }
  return weakSettings(settings);
}

function weakSettings({ flush, binlog, syncBinlog, version, engine }: MysqlSettings): WeakSetting[] {
  const weak: WeakSetting[] = [];
  // MariaDB's 3 syncs at every commit too, and once more.
  const isFlushed = Number(flush) === 1 || (Number(flush) === 3 && /mariadb/i.test(version));
  if (!isFlushed) {
    const risk = Number(flush) === 0 ? 'the server crashes' : 'the machine or its power fails';
    weak.push({ name: 'innodb_flush_log_at_trx_commit', value: String(flush), expected: '1', risk });
  }
  if (Number(binlog) === 1 && Number(syncBinlog) !== 1) {
    const risk = 'the machine or its power fails and a replica takes over';
    weak.push({ name: 'sync_binlog', value: String(syncBinlog), expected: '1', risk });
  }
  if (engine !== null && engine.toLowerCase() !== 'innodb') {
    weak.push({ name: 'ENGINE', value: engine, expected: 'InnoDB', risk: 'the engine does not sync at every commit' });
  }
  return weak;
}
