/**
 * Data services that are opened and used inside requests, run by data-context.deep.test.ts in a process of its own with
 * --expose-gc. It prints as JSON how many of the requests' AsyncLocalStorage stores are still alive after each situation.
 *
 * Arguments: an empty folder, then the addresses of servers.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  databaseData,
  DatabaseDataService,
  DataUnavailableException,
  type DataService,
  FailoverDataService,
  fileData,
  FileDataService,
} from '../../lib/data/index.js';
import { OwnedDataServices } from '../../lib/module/data/owned-data-services.js';

declare const gc: () => void;

Logger.overrideLogger(false);
const [folder = '', ...urls] = process.argv.slice(2);
const requests = new AsyncLocalStorage<object>();

/** Runs work as a request of its own, whose store nobody else holds. */
async function request(stores: WeakRef<object>[], work: () => Promise<unknown>): Promise<void> {
  const store = { weight: new Array(1_000).fill(0) };
  stores.push(new WeakRef(store));
  await requests.run(store, async () => void (await work()));
}

async function useAll(data: DataService): Promise<void> {
  await data.put('a', 1);
  await data.get('a');
  await data.entry('a');
  for await (const entry of data.entries()) void entry;
  await data.delete('b');
  await data.ping();
}

/** One that is down until it is told to be up. */
function flaky(open: () => Promise<DataService>) {
  const state = { up: false };
  return {
    state,
    recipe: {
      useFactory: async () => {
        if (!state.up) throw new DataUnavailableException('down');
        return open();
      },
    },
  };
}

const situations: Record<string, (inRequest: (work: () => Promise<unknown>) => Promise<void>) => Promise<DataService>> =
  {
    'a folder opened in a request': async (inRequest) => {
      let data!: FileDataService;
      await inRequest(async () => (data = await FileDataService.open({ path: join(folder, 'file') })));
      await inRequest(() => useAll(data));
      await inRequest(() => data.backup(join(folder, 'backup')));
      return data;
    },
    'an SQLite database opened in a request': async (inRequest) => {
      let data!: DatabaseDataService;
      await inRequest(async () => (data = await DatabaseDataService.open({ url: `sqlite:${folder}/shop.db` })));
      await inRequest(() => useAll(data));
      return data;
    },
    ...Object.fromEntries(
      urls.map((url) => [
        `the pool of ${new URL(url).protocol} grown in requests`,
        async (inRequest: (work: () => Promise<unknown>) => Promise<void>) => {
          let data!: DatabaseDataService;
          const table = `bulwark_context_${process.pid}`;
          await inRequest(async () => (data = await DatabaseDataService.open({ url, table, poolSize: 4 })));
          await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => inRequest(() => useAll(data))));
          await inRequest(() => Promise.all([...'abcdef'].map((key) => data.put(key, key))));
          return data;
        },
      ]),
    ),
    'failover nodes, their mirror and queue opened late in a request': async (inRequest) => {
      const primary = flaky(() => FileDataService.open({ path: join(folder, 'primary') }));
      const mirror = flaky(() => FileDataService.open({ path: join(folder, 'mirror') }));
      let data!: FailoverDataService;
      await inRequest(async () => {
        data = await FailoverDataService.open({
          primary: primary.recipe,
          standbys: [{ mirror: mirror.recipe }, { replica: databaseData({ url: `sqlite:${folder}/replica.db` }) }],
          reads: { maxStaleness: 200 },
          writes: 'queue',
          queue: { path: join(folder, 'queue') },
          breaker: { resetTimeout: 20 },
          tombstones: 1,
        });
        data.events$.subscribe(() => undefined);
      });
      await inRequest(() => Promise.all([...'abcdef'].map((key) => data.put(key, key))));
      primary.state.up = mirror.state.up = true;
      for (let i = 0; i < 20; i++) {
        await inRequest(() => data.put('a', i).catch(() => undefined));
        await delay(20);
      }
      await inRequest(() => data.delete('b'));
      await delay(20);
      await inRequest(() => data.get('b'));
      await inRequest(() => useAll(data).catch(() => undefined));
      return data;
    },
    'what the module opens late': async (inRequest) => {
      const owned = new OwnedDataServices();
      let data!: DataService;
      await inRequest(async () => {
        data = await owned.adopt(async () => {
          const recipe = fileData({ path: join(folder, 'owned') });
          return (recipe.useFactory as () => Promise<DataService>)();
        });
      });
      await inRequest(() => useAll(data));
      Object.assign(data, { owned });
      return data;
    },
  };

async function aliveAfter(stores: readonly WeakRef<object>[]): Promise<number> {
  let alive = stores.length;
  for (let i = 0; i < 10 && alive > 0; i++) {
    await delay(20);
    gc();
    alive = stores.filter((store) => store.deref() !== undefined).length;
  }
  return alive;
}

const report: Record<string, number> = {};
const opened: DataService[] = [];
for (const [name, situation] of Object.entries(situations)) {
  const stores: WeakRef<object>[] = [];
  opened.push(await situation((work) => request(stores, work)));
  report[name] = await aliveAfter(stores);
}
// What holds on to nothing must not have been collected itself.
for (const data of opened) await data.close();
console.log(JSON.stringify(report));
