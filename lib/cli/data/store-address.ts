import { stat } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { maskCredentials } from '../../errors/mask-credentials.js';
import { DatabaseDataService } from '../../data/database/database-data.service.js';
import {
  resolveDatabaseOptions,
  type DatabaseDataOptions,
  type ResolvedDatabaseOptions,
} from '../../data/database/database-options.js';
import { IN_MEMORY } from '../../data/database/database-address.js';
import { describeAddress } from '../../data/database/server/server-address.js';
import { FileDataService } from '../../data/file/file-data.service.js';
import type { ReplicableDataService } from '../../data/port/replicable-data.service.js';
import { required, UsageError } from '../shell/command.js';

/** A store that an argument names; `shown` is how messages call it, without user and password. */
export type StoreAddress =
  | { readonly kind: 'file'; readonly path: string; readonly shown: string }
  | {
      readonly kind: 'database';
      readonly options: DatabaseDataOptions;
      /** That of SQLite. */
      readonly file: string | undefined;
      readonly shown: string;
    };

/** How addresses are written, for the help of commands. */
export const ADDRESSES = `Addresses:
  file:./data                            the folder of fileData
  sqlite:./shop.db                       databaseData, in any of its databases
  mysql://user:password@host:3306/shop
  postgres://user:password@host:5432/shop
  env:DATABASE_URL                       the address in an environment variable: it shows in no list of processes`;

/**
 * Reads an address.
 *
 * @param argument how messages call it: `--from`.
 * @throws UsageError that shows no password.
 */
export function parseStoreAddress(
  argument: string,
  text: string | undefined,
  table?: string,
  env: NodeJS.ProcessEnv = process.env,
): StoreAddress {
  const address = required(argument, text);
  if (address.startsWith('env:')) {
    const name = address.slice('env:'.length);
    const value = env[name];
    if (value === undefined || value === '') {
      throw new UsageError(`${argument}: the environment variable '${maskCredentials(name)}' is not set`);
    }
    return parseStoreAddress(`${argument} (${maskCredentials(address)})`, value, table, {});
  }
  if (!address.startsWith('file:')) return parseDatabaseAddress(argument, address, table);
  if (table !== undefined) throw new UsageError(`${argument}: a table is for a database, a file store has none`);
  const path = pathOf(address.slice('file:'.length));
  if (path === undefined)
    throw new UsageError(`${argument} is '${maskCredentials(address)}'; expected file:<path of a folder>`);
  return { kind: 'file', path, shown: `file:${path}` };
}

/**
 * Opens a store that must be there already: a misspelt path would be created, and found empty.
 *
 * @throws Error naming what is not there.
 */
export async function openExisting(address: StoreAddress): Promise<ReplicableDataService> {
  if (address.kind === 'file') await expectThere(address.path, 'folder');
  else if (address.file !== undefined) await expectThere(address.file, 'file');
  return openStore(address);
}

/** Opens a store, created where it is missing. */
export function openStore(address: StoreAddress): Promise<ReplicableDataService> {
  return address.kind === 'file'
    ? FileDataService.open({ path: address.path, syncOn: 'loop' })
    : DatabaseDataService.open(address.options);
}

/** @throws Error unless there is such a folder or file. */
export async function expectThere(path: string, what: 'folder' | 'file'): Promise<void> {
  if ((await kindOf(path)) !== what) throw new Error(`there is no ${what} ${path}`);
}

/** @throws Error unless there is a folder or a file of that name. */
export async function expectFolderOrFile(path: string): Promise<'folder' | 'file'> {
  const kind = await kindOf(path);
  if (kind === undefined) throw new Error(`there is no folder or file ${path}`);
  return kind;
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return 'folder';
  return found?.isFile() === true ? 'file' : undefined;
}

function parseDatabaseAddress(argument: string, url: string, table: string | undefined): StoreAddress {
  const options = { url, table };
  const { address, table: resolvedTable } = resolve(argument, options);
  const shown = address.kind === 'sqlite' ? `sqlite:${address.path}` : describeAddress(address);
  return {
    kind: 'database',
    options,
    shown: `${shown}, table ${resolvedTable}`,
    file: address.kind === 'sqlite' && address.path !== IN_MEMORY ? address.path : undefined,
  };
}

function resolve(argument: string, options: DatabaseDataOptions): ResolvedDatabaseOptions {
  try {
    return resolveDatabaseOptions(options);
  } catch (error) {
    if (!(error instanceof ResilienceConfigurationError)) throw error;
    throw new UsageError(`${argument}: ${error.message}; or file:<path of a folder>, or env:<variable>`);
  }
}

function pathOf(rest: string): string | undefined {
  // Two slashes introduce a host, which a folder does not have; with three the host is empty.
  if (/^\/\/(?!\/)/.test(rest) || rest === '' || rest.includes('\0')) return undefined;
  return resolvePath(rest.startsWith('///') ? rest.slice(2) : rest);
}
