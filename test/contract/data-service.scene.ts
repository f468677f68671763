import type { DataEntriesOptions, DataService } from 'nestjs-bulwark/data';
import { afterEach, beforeEach } from 'vitest';

/** What the suite needs to know of a backend, and what that one can do. */
export interface DataServiceSubject {
  readonly name: string;
  /** A service without entries. */
  open(): Promise<DataService>;
  /** It keeps its data: another service on what `service`, closed by now, has kept. */
  reopen?(service: DataService): Promise<DataService>;
  /** It can be shared: another service on the data of `service`, which is open. */
  share?(service: DataService): Promise<DataService>;
  /** It takes writes from other stores: it is a `ReplicableDataService`. */
  readonly replicable?: boolean;
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
