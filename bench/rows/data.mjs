import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import Database from 'libsql';
import { FileDataService } from 'nestjs-bulwark/data';
import { valueLine } from '../support/line.mjs';
import { interval, typical } from '../support/statistics.mjs';

export const title = 'durable puts a second, 16-byte keys and 100-byte values';

/** The disk is what is measured, so time is that of the wall, in slices that alternate between the stores. */
const SLICE_MS = 250;
const KEYS = 50_000;
const VALUE = 'v'.repeat(98);

/** So many writers, each with one put at a time. */
export function tasks({ processes, seconds }) {
  return [1, 256].flatMap((writers) => new Array(processes).fill({ writers, seconds }));
}

export async function measure({ writers, seconds }) {
  const folder = mkdtempSync(join(tmpdir(), 'bulwark-bench-'));
  const stores = {
    thread: await fileData(join(folder, 'thread'), 'thread'),
    loop: await fileData(join(folder, 'loop'), 'loop'),
    sqlite: sqlite(join(folder, 'sqlite.db')),
    level: await level(join(folder, 'level')),
  };
  const samples = Object.fromEntries(Object.keys(stores).map((name) => [name, []]));
  for (const { put } of Object.values(stores)) await slice(put, writers);
  const end = performance.now() + Math.max(3, seconds) * 1_000;
  for (let round = 0; round === 0 || performance.now() < end; round++) {
    const names = Object.keys(stores);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      samples[name].push(await slice(stores[name].put, writers));
    }
  }
  for (const { close } of Object.values(stores)) await close();
  rmSync(folder, { recursive: true });
  return { writers, samples };
}

export function report(results) {
  return [1, 256].flatMap((writers) => {
    const all = results.filter((result) => result.writers === writers).map(({ samples }) => samples);
    const line = (own, peer, name, min) =>
      valueLine({
        figure: `durable puts/s, ${writers === 1 ? '1 writer' : `${writers} writers`}: fileData, syncOn '${own}'`,
        unit: 'times',
        measured: interval(all.map((result) => result[own].map((value, round) => value / result[name][round]))),
        peer,
        theirs: `${Math.round(typical(all, name))}/s (ours ${Math.round(typical(all, own))}/s)`,
        goal: { min },
      });
    // SQLite's driver waits for the disk on the event loop, classic-level on a thread of its own.
    return [
      line('loop', 'SQLite (WAL, FULL)', 'sqlite', 1),
      line('thread', 'SQLite (WAL, FULL)', 'sqlite', 1),
      line('thread', 'classic-level (sync)', 'level', 0.8),
    ];
  });
}

async function slice(put, writers) {
  const begun = performance.now();
  let count = 0;
  const write = async () => {
    while (performance.now() - begun < SLICE_MS) {
      await put(`key-${String(Math.floor(Math.random() * KEYS)).padStart(12, '0')}`, VALUE);
      count++;
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return (count * 1_000) / (performance.now() - begun);
}

async function fileData(path, syncOn) {
  const data = await FileDataService.open({ path, syncOn });
  return { put: (key, value) => data.put(key, value), close: () => data.close() };
}

/** One transaction for all that come in the same turn of the loop. */
function sqlite(path) {
  const database = new Database(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE data (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)');
  const upsert = database.prepare(
    'INSERT INTO data VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const put = grouped((group) => {
    database.exec('BEGIN IMMEDIATE');
    for (const { key, value } of group) upsert.run(key, JSON.stringify(value));
    database.exec('COMMIT');
  });
  return { put, close: () => database.close() };
}

async function level(path) {
  const database = new ClassicLevel(path);
  await database.open();
  const put = grouped((group) =>
    database.batch(
      group.map(({ key, value }) => ({ type: 'put', key, value: JSON.stringify(value) })),
      { sync: true },
    ),
  );
  return { put, close: () => database.close() };
}

/** Puts that wait together are written together, as fileData does it by itself. */
function grouped(write) {
  let waiting = [];
  let working = false;
  const work = async () => {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await write(group);
      for (const { resolve } of group) resolve();
      await new Promise(setImmediate);
    }
    working = false;
  };
  return (key, value) =>
    new Promise((resolve) => {
      waiting.push({ key, value, resolve });
      if (working) return;
      working = true;
      setImmediate(work);
    });
}
