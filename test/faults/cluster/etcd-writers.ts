import { DataConflictException, type DataService } from 'nestjs-bulwark/data';

/** What writers have been told. */
export interface WriteReport {
  /** What each has been acknowledged last, by its key. */
  readonly last: ReadonlyMap<string, number>;
  /** All that was acknowledged, by key. */
  readonly acknowledged: ReadonlySet<string>;
  readonly failed: number;
  readonly perSecond: number;
  /** The longest time in which none was acknowledged, ms. */
  readonly longestGap: number;
  readonly errors: ReadonlyMap<string, number>;
}

/** Writers that put one value after the other, each under a key of its own and under a new key. */
export class EtcdWriters {
  readonly #last = new Map<string, number>();
  readonly #acknowledged = new Set<string>();
  readonly #errors = new Map<string, number>();
  readonly #start = performance.now();
  readonly #running: Promise<void[]>;
  #lastAt = performance.now();
  #longestGap = 0;
  #failed = 0;
  #stopped = false;

  constructor(
    private readonly data: DataService,
    count: number,
    private readonly pauseMs = 5,
  ) {
    this.#running = Promise.all(Array.from({ length: count }, (_, writer) => this.#write(writer)));
  }

  async stop(): Promise<WriteReport> {
    this.#stopped = true;
    await this.#running;
    this.#noteGap();
    const seconds = (performance.now() - this.#start) / 1_000;
    return {
      last: this.#last,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      perSecond: this.#acknowledged.size / seconds,
      longestGap: this.#longestGap,
      errors: this.#errors,
    };
  }

  async #write(writer: number): Promise<void> {
    const own = `last/${writer}`;
    for (let i = 1; !this.#stopped; i++) {
      const isLast = i % 2 === 0;
      const key = isLast ? own : `all/${writer}/${i}`;
      try {
        await this.data.put(key, i);
        this.#noteGap();
        this.#acknowledged.add(isLast ? `${own}#${i}` : key);
        if (isLast) this.#last.set(own, i);
      } catch (error) {
        this.#failed += 1;
        const { explanation = String(error) } = error as { explanation?: string };
        const kind = explanation.replace(/"[^"]*"|\d{4,}/g, '_').slice(0, 160);
        this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
      }
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
  }

  #noteGap(): void {
    const now = performance.now();
    this.#longestGap = Math.max(this.#longestGap, now - this.#lastAt);
    this.#lastAt = now;
  }
}

/** Several services that add to one number, each by what it has read. */
export class Increments {
  readonly #running: Promise<void[]>;
  #added = 0;
  #unknown = 0;
  #stopped = false;

  constructor(...services: readonly DataService[]) {
    this.#running = Promise.all(services.map((data) => this.#add(data)));
  }

  /** `unknown` of them may have been added, too. */
  async stop(): Promise<{ readonly added: number; readonly unknown: number }> {
    this.#stopped = true;
    await this.#running;
    return { added: this.#added, unknown: this.#unknown };
  }

  async #add(data: DataService): Promise<void> {
    while (!this.#stopped) {
      try {
        const found = await data.entry<number>('n');
        await data.put('n', (found?.value ?? 0) + 1, { ifVersion: found?.version ?? null });
        this.#added += 1;
      } catch (error) {
        if (!(error instanceof DataConflictException)) this.#unknown += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Reads all under a prefix, again and again; what each pass has found. */
export class Passes {
  readonly #passes: string[][] = [];
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(data: DataService, prefix: string) {
    this.#running = this.#read(data, prefix);
  }

  async stop(): Promise<readonly string[][]> {
    this.#stopped = true;
    await this.#running;
    return this.#passes;
  }

  async #read(data: DataService, prefix: string): Promise<void> {
    while (!this.#stopped) {
      const keys: string[] = [];
      for await (const [key] of data.entries({ prefix })) keys.push(key);
      this.#passes.push(keys);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** What was acknowledged and is not there: keys that are missing, and values older than the one acknowledged last. */
export async function lostOf(report: WriteReport, data: DataService): Promise<string[]> {
  const there = new Map<string, unknown>();
  for await (const [key, value] of data.entries()) there.set(key, value);
  const missing = [...report.acknowledged].filter((key) => key.startsWith('all/') && !there.has(key));
  const older = [...report.last].filter(([key, value]) => !((there.get(key) as number) >= value)).map(([key]) => key);
  return [...missing, ...older];
}
