import type { DataEntriesOptions, DataService } from 'nestjs-bulwark/data';
import { afterEach, beforeEach } from 'vitest';

/** What the suite needs to know of a backend. */
export interface DataServiceSubject {
  readonly name: string;
  /** It takes writes from other stores: it is a `ReplicableDataService`. */
  readonly replicable?: boolean;
  /** A service without entries. */
  open(): Promise<DataService>;
  /** Another service on what `service`, closed by now, has kept; absent where nothing is kept. */
  reopen?(service: DataService): Promise<DataService>;
}

/** The service of the running test: a new one for each. */
export interface Scene {
  data: DataService;
  collect(options?: DataEntriesOptions): Promise<[string, unknown][]>;
  keys(options?: DataEntriesOptions): Promise<string[]>;
}

export function sceneFor(subject: DataServiceSubject): Scene {
  let data: DataService | undefined;

  const scene: Scene = {
    get data() {
      if (data === undefined) throw new Error('expected to be used in a test');
      return data;
    },
    set data(service) {
      data = service;
    },
    async collect(options) {
      const all: [string, unknown][] = [];
      for await (const entry of scene.data.entries(options)) all.push(entry);
      return all;
    },
    keys: async (options) => (await scene.collect(options)).map(([key]) => key),
  };

  beforeEach(async () => {
    data = await subject.open();
  });

  afterEach(() => data?.close());

  return scene;
}
