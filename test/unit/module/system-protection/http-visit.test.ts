import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from '../../../../lib/kernel/deadline-queue.js';
import {
  HttpVisit,
  type VisitHome,
  type VisitSurroundings,
} from '../../../../lib/module/system-protection/http-visit.js';
import type { Ingress } from '../../../../lib/policies/system-protection/ingress.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp() {
  const { clock, lifecycle } = new TestEnvironment();
  const told: string[] = [];
  const room = { free: true };
  const ingress = {
    leave: (at: number, whole: boolean) => told.push(`${whole ? 'answered' : 'failed'} after ${clock.now() - at}`),
    leaveUnmeasured: () => told.push('unmeasured'),
    resume: () => told.push('resumed'),
    reenter: () => (told.push('asked'), room.free ? undefined : 'concurrency'),
  } as unknown as Ingress;
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const queue = (ms: number) => new DeadlineQueue(ms, clock, lifecycle, false);
  const surroundings: VisitSurroundings = {
    ingress,
    clock,
    looks: queue(100),
    desertions: queue(60_000),
    breakOffs: queue(5_000),
    refuse: () => told.push('refused'),
  };
  const home: VisitHome = { visits: new Set(), isClosing: false };
  const visit = new HttpVisit(surroundings, home, request, response, 0, clock.now());
  return { clock, told, room, request, response, home, visit };
}

describe('HttpVisit', () => {
  it('is not over when Node destroys its response with the connection, but when the app does later', () => {
    const { told, response, home, visit } = setUp();

    home.isClosing = true;
    visit.leave();
    response.destroy();
    home.isClosing = false;
    expect(told).toEqual([]);
    response.destroy();

    expect(told).toEqual(['unmeasured']);
  });

  it.each([
    ['an object', { 'CONTENT-TYPE': 'text/event-stream' }],
    ['names and values in turn', ['x-one', 'content-type', 'Content-Type', 'text/event-stream; charset=utf-8']],
    ['pairs', [['Content-Type', 'text/event-stream']]],
  ])('is over when the headers of a stream of events go out, given as %s', (_, headers) => {
    const { told, response, visit } = setUp();

    response.writeHead(200, headers as Record<string, string>);
    expect(told).toEqual(['unmeasured']);

    visit.leave();
    expect(told).toHaveLength(1);
  });

  it.each([[{}], [['content-type', 'text/plain', 'x-of', 'text/event-stream']]])(
    'goes on for other answers until the app ends them: %j',
    async (headers) => {
      const { clock, told, response, home } = setUp();
      await clock.advance(3_000);

      response.writeHead(200, 'OK', headers as Record<string, string>);
      await clock.advance(900);
      expect(told).toEqual([]);
      response.end('body');

      expect(told).toEqual(['answered after 3900']);
      expect(home.visits.size).toBe(0);
    },
  );

  it('ends with the answer, whether anybody hears it or not, and only once', async () => {
    const { clock, told, response, visit } = setUp();
    await clock.advance(20);
    response.statusCode = 502;

    response.end('it waits behind another answer');
    response.end();
    visit.leave();
    await clock.advance(100_000);

    expect(told).toEqual(['failed after 20']);
  });

  it('does not end with an answer that could not be given', () => {
    const { told, response } = setUp();

    expect(() => response.end(5 as never)).toThrow('must be');

    expect(told).toEqual([]);
    response.end('5');
    expect(told).toEqual(['answered after 0']);
  });

  it('goes on without its client until the handler answers', async () => {
    const { clock, told, response, visit } = setUp();
    visit.leave();
    await clock.advance(5_000);
    expect(told).toEqual([]);

    response.end('nobody hears it');

    expect(told).toEqual(['failed after 5000']);
    await clock.advance(60_000);
    expect(told).toHaveLength(1);
  });

  it.each([
    ['a minute', 60_000, () => undefined],
    ['5 s', 5_000, (response: ServerResponse) => response.writeHead(200)],
  ])('is over %s after its client has gone, where the handler never ends its answer', async (_, ms, begin) => {
    const { clock, told, response, visit } = setUp();
    begin(response);
    visit.leave();

    await clock.advance(ms - 1);
    expect(told).toEqual([]);
    await clock.advance(1);

    expect(told).toEqual(['unmeasured']);
  });

  it('is over with its client where no handler has begun, since the body is not there', () => {
    const { told, request, visit } = setUp();
    request.resume();

    visit.leave();

    expect(told).toEqual(['unmeasured']);
  });

  it('is over with its client where another stream was written, which stops then', () => {
    const { told, response, visit } = setUp();
    new Readable({ read: () => undefined }).pipe(response);

    visit.leave();

    expect(told).toEqual(['unmeasured']);
  });

  it('is over when the app destroys the response', () => {
    const { told, response, visit } = setUp();

    response.destroy();
    visit.leave();

    expect(told).toEqual(['unmeasured']);
  });

  it('does not take the line of the client for our work', async () => {
    const { clock, told, response } = setUp();
    response.writeHead(200);

    await clock.advance(1_100);
    response.end();

    expect(told).toEqual(['unmeasured']);
  });

  it('gives the place back while the app waits for the body, and asks for one when it is there', async () => {
    const { clock, told, request, response, visit } = setUp();
    await clock.advance(20);
    request.resume();
    visit.begun();
    expect(told).toEqual(['unmeasured']);

    await clock.advance(7_000);
    request.push('{}');
    await clock.advance(7_000);
    expect(told).toEqual(['unmeasured']);
    request.complete = true;
    request.push(null);
    expect(told).toEqual(['unmeasured', 'asked']);
    await clock.advance(5);
    response.end();

    expect(told).toEqual(['unmeasured', 'asked', 'answered after 25']);
  });

  it('refuses a body that is there when there is no room, before the app knows of its end', async () => {
    const { told, request, room, visit } = setUp();
    let ended = false;
    request.on('end', () => (ended = true)).resume();
    visit.begun();
    room.free = false;

    request.complete = true;
    request.push(null);
    await new Promise((resolve) => setImmediate(resolve));

    expect(told).toEqual(['unmeasured', 'asked', 'refused']);
    expect(ended).toBe(false);
  });

  it('keeps the place where the app does not wait for the body', async () => {
    const { clock, told, visit } = setUp();

    visit.begun();
    await clock.advance(30_000);

    expect(told).toEqual([]);
  });

  it('gives the place back once the app has begun to wait, and takes it up when it does something else', async () => {
    const { clock, told, request, visit } = setUp();
    visit.begun();
    request.on('readable', () => undefined);

    await clock.advance(100);
    expect(told).toEqual(['unmeasured']);
    request.push('what the app lets lie');
    await clock.advance(100);

    expect(told).toEqual(['unmeasured', 'resumed']);
  });

  it('gives the place back while the client does not take what was written', async () => {
    const { clock, told, response } = setUp();
    response.write('x'.repeat(100_000));

    await clock.advance(100);
    expect(told).toEqual(['unmeasured']);
    await clock.advance(10_000);
    Object.defineProperty(response, 'writableNeedDrain', { value: false });
    response.emit('drain');
    expect(told).toEqual(['unmeasured', 'resumed']);
    await clock.advance(50);
    response.end();

    expect(told).toEqual(['unmeasured', 'resumed', 'answered after 150']);
  });

  it('is over with a client that did not take what was written', async () => {
    const { clock, told, response, visit } = setUp();
    response.write('x'.repeat(100_000));
    await clock.advance(100);

    visit.leave();
    response.end();
    await clock.advance(100_000);

    expect(told).toEqual(['unmeasured']);
  });
});
