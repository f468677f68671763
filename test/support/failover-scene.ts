import { Logger } from '@nestjs/common';
import { onTestFinished } from 'vitest';
import { FailoverDataService, type FailoverDataOptions, type FailoverEvent } from '../../lib/data/index.js';
import type { Surroundings } from '../../lib/data/failover/surroundings.js';
import { seededRandom } from './seeded-random.js';
import { MemoryDataService } from './memory-data.service.js';
import { VirtualClock } from './virtual-clock.js';

Logger.overrideLogger(false);

/** Options whose primary is the scene's own. */
type SceneOptions = Partial<FailoverDataOptions> & Record<never, never>;

/** Failover services on stores in memory, in virtual time; what is put to a folder is found by the next service. */
export class FailoverScene {
  readonly clock = new VirtualClock();
  readonly primary = new MemoryDataService(() => this.clock.wallNow());
  /** What is in each folder, by its path. */
  readonly folders = new Map<string, MemoryDataService>();
  /** What the services told, in order. */
  readonly events: FailoverEvent[] = [];
  /** How far the wall clock of the next service is off, in ms. */
  skew = 0;

  /** The service ends with the test. */
  async open(options: SceneOptions = {}): Promise<FailoverDataService> {
    const all = { primary: this.primary, ...options } as FailoverDataOptions;
    const data = await FailoverDataService.open(all, this.#surroundings());
    data.events$.subscribe((event) => this.events.push(event));
    onTestFinished(() => this.close(data));
    return data;
  }

  /** As {@link open}, with a queue. */
  openQueued(options: SceneOptions = {}): Promise<FailoverDataService> {
    return this.open({ writes: 'queue', queue: { path: '/queue' }, ...options } as SceneOptions);
  }

  /** Closes a service, in whatever state its nodes are. */
  async close(data: FailoverDataService): Promise<void> {
    const closed = data.close();
    await this.clock.advance(30_000);
    await closed;
  }

  /** The store of a folder of the queue. */
  folder(name: 'pending' | 'rejected', path = '/queue'): MemoryDataService {
    return this.#openFolder(`${path}/${name}`);
  }

  /** The queued writes on the disk: key and text. */
  onDisk(name: 'pending' | 'rejected' = 'pending', path?: string): Record<string, string | undefined> {
    const writes = [...this.folder(name, path).store.values()].filter(({ key }) => !key.startsWith('\u0001'));
    return Object.fromEntries(writes.map(({ key, text }) => [key, text]));
  }

  /** The events of one type. */
  of<T extends FailoverEvent['type']>(type: T): Extract<FailoverEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<FailoverEvent, { type: T }> => event.type === type);
  }

  #openFolder(path: string): MemoryDataService {
    const folder = this.folders.get(path) ?? new MemoryDataService(() => this.clock.wallNow());
    this.folders.set(path, folder);
    return folder;
  }

  #surroundings(): Surroundings {
    const { clock, skew } = this;
    return {
      clock: {
        now: () => clock.now(),
        wallNow: () => clock.wallNow() + skew,
        setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
        clearTimeout: (timer) => clock.clearTimeout(timer),
        setImmediate: (callback) => clock.setImmediate(callback),
      },
      random: seededRandom(1),
      openFolder: async (path) => this.#openFolder(path),
    };
  }
}

/** All that `entries` shows. */
export async function collect(data: FailoverDataService, prefix = ''): Promise<[string, unknown][]> {
  const all: [string, unknown][] = [];
  for await (const entry of data.entries({ prefix })) all.push(entry);
  return all;
}
