import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HttpVisit } from '../../../../lib/module/system-protection/http-visit.js';
import type { Ingress } from '../../../../lib/policies/system-protection/ingress.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp() {
  const { clock } = new TestEnvironment();
  const told: string[] = [];
  const ingress = {
    leave: (at: number, whole: boolean) => told.push(`${whole ? 'answered' : 'failed'} after ${clock.now() - at}`),
    leaveUnmeasured: () => told.push('unmeasured'),
  } as unknown as Ingress;
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  new HttpVisit(ingress, clock, clock.now(), response);
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

  it('does not take the line of the client for our work', async () => {
    const { clock, told, response } = setUp();
    response.writeHead(200);

    await clock.advance(1_100);
    response.emit('close');

    expect(told).toEqual(['unmeasured']);
  });
});
