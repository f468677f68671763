import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HttpVisit } from '../../../../lib/module/system-protection/http-visit.js';
import { DeadlineQueue } from '../../../../lib/policies/deadline-queue.js';
import type { Ingress } from '../../../../lib/policies/system-protection/ingress.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp() {
  const { clock, lifecycle } = new TestEnvironment();
  const told: string[] = [];
  const ingress = {
    leave: (at: number, whole: boolean) => told.push(`${whole ? 'answered' : 'failed'} after ${clock.now() - at}`),
    leaveUnmeasured: () => told.push('unmeasured'),
  } as unknown as Ingress;
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const desertions = new DeadlineQueue(60_000, clock, lifecycle, false);
  new HttpVisit(ingress, clock, clock.now(), response, desertions);
  return { clock, told, response };
}

describe('HttpVisit', () => {
  it.each([
    ['an object', { 'CONTENT-TYPE': 'text/event-stream' }],
    ['names and values in turn', ['x-one', 'content-type', 'Content-Type', 'text/event-stream; charset=utf-8']],
    ['pairs', [['Content-Type', 'text/event-stream']]],
  ])('is over when the headers of a stream of events go out, given as %s', (_, headers) => {
    const { told, response } = setUp();

    response.writeHead(200, headers as Record<string, string>);
    expect(told).toEqual(['unmeasured']);

    response.emit('close');
    expect(told).toHaveLength(1);
  });

  it.each([[{}], [['content-type', 'text/plain', 'x-of', 'text/event-stream']]])(
    'goes on for other answers until they are sent: %j',
    async (headers) => {
      const { clock, told, response } = setUp();
      await clock.advance(3_000);

      response.writeHead(200, 'OK', headers as Record<string, string>);
      await clock.advance(900);
      expect(told).toEqual([]);
      response.emit('close');

      expect(told).toEqual(['failed after 3900']);
    },
  );

  it('goes on without its client until the handler answers', async () => {
    const { clock, told, response } = setUp();
    response.emit('close');
    await clock.advance(5_000);
    expect(told).toEqual([]);

    response.end('nobody hears it');

    expect(told).toEqual(['failed after 5000']);
    await clock.advance(60_000);
    expect(told).toHaveLength(1);
  });

  it('is over a minute after its client has gone, where the handler never answers', async () => {
    const { clock, told, response } = setUp();
    response.emit('close');

    await clock.advance(59_999);
    expect(told).toEqual([]);
    await clock.advance(1);

    expect(told).toEqual(['unmeasured']);
  });

  it('is over with its client once the answer has begun', () => {
    const { told, response } = setUp();
    response.writeHead(200);

    response.emit('close');

    expect(told).toEqual(['failed after 0']);
  });

  it('does not take the line of the client for our work', async () => {
    const { clock, told, response } = setUp();
    response.writeHead(200);

    await clock.advance(1_100);
    response.emit('close');

    expect(told).toEqual(['unmeasured']);
  });
});
