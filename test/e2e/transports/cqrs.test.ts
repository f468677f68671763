import { Injectable } from '@nestjs/common';
import {
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventsHandler,
  QueryBus,
  QueryHandler,
  UnhandledExceptionBus,
  type ICommandHandler,
  type IEventHandler,
  type IQueryHandler,
} from '@nestjs/cqrs';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection, until } from '../support/harness.js';
import { Work } from './support/work.js';

class Retried {}
class Hanging {}
class Open {}
class Held {}
class Answered {}
class Happened {}
class Failed {}

@CommandHandler(Retried)
class RetriedHandler implements ICommandHandler<Retried, string> {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  async execute(_command: Retried): Promise<string> {
    return this.work.failTwice();
  }
}

@CommandHandler(Hanging)
class HangingHandler implements ICommandHandler<Hanging, never> {
  constructor(private readonly work: Work) {}

  @Timeout(20)
  async execute(_command: Hanging, @Signal() signal?: AbortSignal): Promise<never> {
    return this.work.hang(signal);
  }
}

@Injectable()
@CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
@CommandHandler(Open)
class OpenHandler implements ICommandHandler<Open, never> {
  constructor(private readonly work: Work) {}

  async execute(_command: Open): Promise<never> {
    return this.work.fail();
  }
}

@QueryHandler(Held)
class HeldHandler implements IQueryHandler<Held, string> {
  constructor(private readonly work: Work) {}

  @Bulkhead(1)
  async execute(_query: Held): Promise<string> {
    return this.work.hold();
  }
}

@QueryHandler(Answered)
class AnsweredHandler implements IQueryHandler<Answered, string> {
  constructor(private readonly work: Work) {}

  @Fallback({ value: 'a substitute' })
  async execute(_query: Answered): Promise<string> {
    return this.work.fail();
  }
}

@EventsHandler(Happened)
class HappenedHandler implements IEventHandler<Happened> {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  async handle(_event: Happened): Promise<void> {
    this.work.failTwice();
  }
}

@EventsHandler(Failed)
class FailedHandler implements IEventHandler<Failed> {
  constructor(private readonly work: Work) {}

  @Timeout(20)
  async handle(_event: Failed): Promise<void> {
    await this.work.hang();
  }
}

async function open() {
  const { module, log } = await initialise({
    imports: [ResilienceModule.forRoot({ log: false }), CqrsModule.forRoot({ rethrowUnhandled: false })],
    providers: [
      Work,
      RetriedHandler,
      HangingHandler,
      OpenHandler,
      HeldHandler,
      AnsweredHandler,
      HappenedHandler,
      FailedHandler,
    ],
  });
  return {
    module,
    log,
    work: module.get(Work),
    commands: module.get(CommandBus),
    queries: module.get(QueryBus),
    events: module.get(EventBus),
  };
}

describe('a handler of @nestjs/cqrs', () => {
  it('is called again, when it fails under @Retry()', async () => {
    const { commands, work } = await open();

    expect(await commands.execute(new Retried())).toBe('third time');
    expect(work.attempts).toBe(3);
  });

  it('is cut, when its time is over', async () => {
    const { commands, work } = await open();

    expect(await rejection(commands.execute(new Hanging()))).toMatchObject({ code: 'TIMEOUT' });
    await work.wasCut();
  });

  it('is refused, when its breaker is open', async () => {
    const { commands, work, module } = await open();
    await rejection(commands.execute(new Open()));

    expect(await rejection(commands.execute(new Open()))).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(work.attempts).toBe(1);
    expect(module.get(ResilienceService).circuitBreaker('transports-open').state).toBe('open');
  });

  it('is refused, when its bulkhead is full', async () => {
    const { queries, work } = await open();
    const first = queries.execute(new Held());
    await work.hasBegun();

    expect(await rejection(queries.execute(new Held()))).toMatchObject({ code: 'BULKHEAD_FULL' });
    work.release();
    expect(await first).toBe('released');
  });

  it('is answered by its fallback, when it fails', async () => {
    const { queries } = await open();

    expect(await queries.execute(new Answered())).toBe('a substitute');
  });

  it('is called again for an event, for which nobody waits', async () => {
    const { events, work } = await open();

    events.publish(new Happened());

    await until(() => work.attempts === 3, 'three attempts');
  });

  it('tells the bus of unhandled errors, and no more, when an event has no time left', async () => {
    const { events, module } = await open();
    const unhandled: unknown[] = [];
    module.get(UnhandledExceptionBus).subscribe(({ exception }) => unhandled.push(exception));

    events.publish(new Failed());

    await until(() => unhandled.length > 0, 'the error');
    expect(unhandled).toEqual([expect.objectContaining({ code: 'TIMEOUT' })]);
  });

  it('lets the app close, when it hangs', async () => {
    const { module, queries, work } = await open();
    void queries.execute(new Held());
    await work.hasBegun();

    await module.close();

    expect(work.begun).toBe(1);
  });
});
