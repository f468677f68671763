import { EXIT, noMore, readArguments, type Command, type CommandContext } from '../../shell/command.js';
import { formatBytes, formatCount, formatKey, formatNumber } from '../../shell/format.js';
import { Progress, withProgress } from '../progress.js';
import { ADDRESSES, openExisting, parseStoreAddress } from '../store-address.js';
import { surveyWrites, type Survey } from '../survey-writes.js';
import type { ReplicableDataService } from '../../../data/port/replicable-data.service.js';
import { timeOfVersion } from '../../../data/port/version-clock.js';

/** `inspect`: shows what is in a store. */
export const inspect: Command = {
  summary: 'shows what a store holds, or one entry of it',
  help: `inspect <address> [<key>] [--table <name>] [--prefix <text>]

Shows how many entries and deletes a store holds, their size, the largest ones, how many there are below each prefix
(what stands before the first '/' or ':' of a key), and when the first and the last were written. With a key it shows
that entry: value, version and when it was written.

  --table <name>   the table of a database, where it is not the default one
  --prefix <text>  only keys that begin with it

Ends with 1 when there is no such key.

Examples:
  nestjs-bulwark data inspect file:./data --prefix orders/
  nestjs-bulwark data inspect sqlite:./shop.db orders/17

${ADDRESSES}`,
  interrupted: 'it has not seen everything',

  async run(args, context) {
    const { values, positionals } = readArguments({
      args: [...args],
      allowPositionals: true,
      options: { table: { type: 'string' }, prefix: { type: 'string', default: '' } },
    });
    const [first, key, ...surplus] = positionals;
    noMore(surplus);
    const store = await openExisting(parseStoreAddress('the address', first, values.table));
    try {
      return key === undefined ? await showAll(store, values.prefix, context) : await showEntry(store, key, context);
    } finally {
      await store.close();
    }
  },
};

async function showAll(
  store: ReplicableDataService,
  prefix: string,
  { terminal, signal }: CommandContext,
): Promise<number> {
  const progress = new Progress(terminal.err, 'reading', 'keys');
  const survey = await withProgress(progress, () =>
    surveyWrites(store, { prefix, signal, onWrite: ({ text = '' }) => progress.add(Buffer.byteLength(text)) }),
  );
  terminal.out.write(describe(survey));
  return EXIT.ok;
}

async function showEntry(
  store: ReplicableDataService,
  key: string,
  { terminal, signal }: CommandContext,
): Promise<number> {
  const write = await store.lastWrite(key, { signal });
  if (write === undefined) {
    terminal.err.write(`there is no key ${formatKey(key)}\n`);
    return EXIT.failed;
  }
  const { text, version } = write;
  const moment = momentOf(version);
  const lines = [
    `key: ${formatKey(key)}`,
    `version: ${version}`,
    text === undefined ? `deleted: ${moment}` : `written: ${moment}`,
    ...(text === undefined ? [] : [`size: ${formatBytes(Buffer.byteLength(text))}`, 'value:', pretty(text)]),
  ];
  terminal.out.write(`${lines.join('\n')}\n`);
  return text === undefined ? EXIT.failed : EXIT.ok;
}

function describe({ entries, deletes, valueBytes, keyBytes, largest, prefixes, oldest, newest }: Survey): string {
  const lines = [
    `${formatNumber(entries, 'entry', 'entries')}, ${formatNumber(deletes, 'delete', 'deletes')} remembered`,
    `values: ${formatBytes(valueBytes)}; keys: ${formatBytes(keyBytes)}`,
  ];
  if (oldest !== undefined && newest !== undefined) {
    lines.push(`written from ${momentOf(oldest)} (${oldest})`, `          to ${momentOf(newest)} (${newest})`);
  }
  if (prefixes.length > 0) lines.push('', 'by prefix:');
  for (const { name, entries: count, bytes } of prefixes) {
    lines.push(`  ${formatCount(count).padStart(12)}  ${formatBytes(bytes).padStart(12)}  ${name}`);
  }
  if (largest.length > 0) lines.push('', 'the largest:');
  for (const { key, bytes } of largest) lines.push(`  ${formatBytes(bytes).padStart(12)}  ${formatKey(key)}`);
  return `${lines.join('\n')}\n`;
}

function momentOf(version: string): string {
  const time = timeOfVersion(version);
  return time === undefined ? 'at an unknown time' : new Date(time).toISOString();
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
