import { request as httpRequest } from 'node:http';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Sse,
  StreamableFile,
  UseInterceptors,
  type MessageEvent,
} from '@nestjs/common';
import {
  fixed,
  ResilienceInterceptor,
  ResilienceModule,
  ResilienceService,
  RetryInterceptor,
  Timeout,
  TimeoutInterceptor,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { concat, defer, finalize, from, map, NEVER, Observable, of, throwError } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { PLATFORMS, start, until, type Platform } from './support/harness.js';

let attempts = 0;
let ended = 0;
const signals: AbortSignal[] = [];

@Injectable()
class Ticks {
  @Timeout(60)
  ticks(): Observable<number> {
    return from([1, 2, 3]);
  }
}

@Controller()
class StreamController {
  constructor(@Inject(Ticks) private readonly ticks: Ticks) {}

  @Sse('events')
  @UseInterceptors(RetryInterceptor.with({ maxAttempts: 3, backoff: fixed(0) }))
  events(): Observable<MessageEvent> {
    return this.ticks.ticks().pipe(map((tick) => ({ data: { tick } })));
  }

  @Sse('broken')
  @UseInterceptors(RetryInterceptor.with({ maxAttempts: 3, backoff: fixed(0) }))
  broken(): Observable<MessageEvent> {
    return defer(() => {
      attempts++;
      return concat(
        of({ data: 'first' }),
        throwError(() => new Error('the stream broke')),
      );
    });
  }

  @Sse('stalled')
  @UseInterceptors(TimeoutInterceptor.with(40))
  stalled(): Observable<MessageEvent> {
    return concat(of({ data: 'first' }), NEVER).pipe(finalize(() => ended++));
  }

  @Sse('endless')
  @UseInterceptors(ResilienceInterceptor.with({ name: 'endless', circuitBreaker: { volumeThreshold: 1 } }))
  endless(): Observable<MessageEvent> {
    return concat(of({ data: 'first' }), NEVER).pipe(finalize(() => ended++));
  }

  @Get('single')
  @UseInterceptors(RetryInterceptor.with({ maxAttempts: 3, backoff: fixed(0) }))
  single(): Observable<{ attempts: number }> {
    return defer(() => (++attempts < 3 ? throwError(() => new Error('not yet')) : of({ attempts })));
  }

  @Get('file')
  @UseInterceptors(TimeoutInterceptor.with(5_000))
  file(): StreamableFile {
    return new StreamableFile(Buffer.from('content'));
  }

  @Get('empty')
  @UseInterceptors(TimeoutInterceptor.with(5_000))
  empty(): void {
    attempts++;
  }
}

describe.each(PLATFORMS)('a stream under an interceptor on $platform', ({ adapter }: Platform) => {
  const metadata = { imports: [ResilienceModule.forRoot()], controllers: [StreamController], providers: [Ticks] };

  beforeEach(() => {
    attempts = ended = signals.length = 0;
  });

  it('hands on every event, when an SSE handler gives several', async () => {
    const { url } = await start(metadata, { adapter });

    const text = await (await fetch(`${url}/events`)).text();

    expect(text.match(/"tick":\d/g)).toEqual(['"tick":1', '"tick":2', '"tick":3']);
  });

  it('is not begun again, when it breaks after its first event', async () => {
    const { url } = await start(metadata, { adapter });

    const text = await (await fetch(`${url}/broken`)).text();

    expect(text).toContain('first');
    expect(attempts).toBe(1);
  });

  it('is ended, when the time to the next event is over', async () => {
    const { url } = await start(metadata, { adapter });

    const text = await (await fetch(`${url}/stalled`)).text();

    expect(text).toContain('first');
    expect(ended).toBe(1);
  });

  it('is unsubscribed and counts as a success, when its client leaves after an event', async () => {
    const { app, url } = await start(metadata, { adapter });
    const events: ResilienceEvent[] = [];
    app.get(ResilienceService).events$.subscribe((event) => events.push(event));

    const client = httpRequest(`${url}/endless`, (response) => response.once('data', () => client.destroy()));
    client.on('error', () => undefined);
    client.end();
    await until(() => ended === 1, 'the end of the source');

    await until(() => events.length > 0, 'an event');
    expect(events.map(({ type }) => type)).toEqual(['success']);
    expect(app.get(ResilienceService).circuitBreaker('endless').state).toBe('closed');
  });

  it('is subscribed anew for each attempt, when a handler gives an Observable of one answer', async () => {
    const { url } = await start(metadata, { adapter });

    expect(await (await fetch(`${url}/single`)).json()).toEqual({ attempts: 3 });
  });

  it('passes a StreamableFile and an empty answer as they are, when the handler gives them', async () => {
    const { url } = await start(metadata, { adapter });

    const file = await fetch(`${url}/file`);
    const empty = await fetch(`${url}/empty`);

    expect(await file.text()).toBe('content');
    expect([empty.status, await empty.text()]).toEqual([200, '']);
  });
});
