import { randomUUID } from 'node:crypto';
import { BullModule, getQueueToken, Processor, WorkerHost } from '@nestjs/bullmq';
import { QueueEvents, type Job, type Queue } from 'bullmq';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
} from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';
import { redisBroker } from '../../support/servers/brokers.js';
import { initialise, rejection, until } from '../support/harness.js';
import { Work } from './support/work.js';

const { url, missing } = await redisBroker();
const RUN = randomUUID();
const at = (name: string): string => `${name}-${RUN}`;
const NAMES = ['retried', 'hanging', 'open', 'held', 'answered'] as const;
type Name = (typeof NAMES)[number];

@Processor(at('retried'))
class Retried extends WorkerHost {
  constructor(private readonly work: Work) {
    super();
  }

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  async process(_job: Job): Promise<string> {
    return this.work.failTwice();
  }
}

@Processor(at('hanging'))
class Hanging extends WorkerHost {
  constructor(private readonly work: Work) {
    super();
  }

  @Timeout(30)
  async process(_job: Job): Promise<never> {
    return this.work.hang();
  }
}

@CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
@Processor(at('open'))
class Open extends WorkerHost {
  constructor(private readonly work: Work) {
    super();
  }

  async process(_job: Job): Promise<never> {
    return this.work.fail();
  }
}

@Processor(at('held'), { concurrency: 5 })
class Held extends WorkerHost {
  constructor(private readonly work: Work) {
    super();
  }

  @Bulkhead(1)
  async process(_job: Job): Promise<string> {
    return this.work.hold();
  }
}

@Processor(at('answered'))
class Answered extends WorkerHost {
  constructor(private readonly work: Work) {
    super();
  }

  @Fallback('instead')
  async process(_job: Job): Promise<string> {
    return this.work.fail();
  }

  instead(_job: Job): string {
    return 'a substitute';
  }
}

async function open() {
  const connection = { host: url.hostname, port: Number(url.port) };
  const { module, log } = await initialise({
    imports: [
      ResilienceModule.forRoot({ log: false, callContext: true }),
      BullModule.forRoot({ connection }),
      ...NAMES.map((name) => BullModule.registerQueue({ name: at(name) })),
    ],
    providers: [Work, Retried, Hanging, Open, Held, Answered],
  });
  /** Adds a job; rejects where it fails for good. */
  async function run(name: Name, options: { attempts?: number } = {}): Promise<{ job: Job; result: Promise<unknown> }> {
    const queue = module.get<Queue>(getQueueToken(at(name)));
    const events = new QueueEvents(at(name), { connection });
    onTestFinished(async () => {
      await events.close();
    });
    await events.waitUntilReady();
    const job = await queue.add('job', {}, options);
    const result = job.waitUntilFinished(events, 60_000);
    result.catch(() => undefined);
    return { job, result };
  }
  return { module, log, run, work: module.get(Work) };
}

describe.skipIf(missing !== undefined)('a processor of BullMQ', () => {
  it('is called again within its job, when it fails under @Retry()', async () => {
    const { run, work } = await open();

    const { job, result } = await run('retried');

    expect(await result).toBe('third time');
    expect([work.attempts, job.attemptsMade]).toEqual([3, 0]);
  });

  it('fails its job by the public message, when its time is over', async () => {
    const { run, work, module } = await open();

    const { job, result } = await run('hanging');

    expect((await rejection(result)).message).toBe('Gateway Timeout (TIMEOUT)');
    await work.wasCut();
    const failed = await module.get<Queue>(getQueueToken(at('hanging'))).getJob(job.id as string);
    expect(failed?.failedReason).toBe('Gateway Timeout (TIMEOUT)');
  });

  it('is refused, when its breaker is open, and the queue tries again as it is told', async () => {
    const { run, work, module } = await open();
    await rejection((await run('open')).result);

    const { result } = await run('open', { attempts: 2 });

    expect((await rejection(result)).message).toMatch(/^Service Unavailable \(CIRCUIT_OPEN\), retry after \d+ s$/);
    expect(work.attempts).toBe(1);
    expect(module.get(ResilienceService).circuitBreaker('transports-open').stats.rejects).toBe(2);
  });

  it('is refused, when its bulkhead is full', async () => {
    const { run, work } = await open();
    const first = await run('held');
    await work.hasBegun();

    const { result } = await run('held');

    expect((await rejection(result)).message).toBe('Service Unavailable (BULKHEAD_FULL)');
    work.release();
    expect(await first.result).toBe('released');
  });

  it('is answered by its fallback, when it fails', async () => {
    const { run } = await open();

    expect(await (await run('answered')).result).toBe('a substitute');
  });

  it('lets the app close, when its job is done', async () => {
    const { run, work, module } = await open();
    await run('held');
    await work.hasBegun();
    let closed = false;

    const closing = module.close().then(() => (closed = true));
    // BullMQ waits for the jobs that run.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const early = closed;
    work.release();
    await closing;

    expect(early).toBe(false);
    await until(() => closed, 'the end');
  });
});
