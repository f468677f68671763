import { Controller, Get, Param, Sse, type MessageEvent } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ResilienceModule } from 'nestjs-bulwark';
import { concat, defer, Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { PLATFORMS, start, type Platform } from '../support/harness.js';
import {
  ANSWERERS,
  expectPublic,
  InsideClient,
  KINDS,
  MessageFilter,
  type Answerer,
  type Kind,
} from '../support/inside.js';

@Controller()
class InsideController {
  constructor(private readonly client: InsideClient) {}

  @Get('answer/:kind')
  answer(@Param('kind') kind: Kind): Promise<string> {
    return this.client.fail(kind);
  }

  @Sse('stream/:kind')
  stream(@Param('kind') kind: Kind): Observable<MessageEvent> {
    return concat(
      of({ data: 'first' }),
      defer(() => this.client.fail(kind) as Promise<never>),
    );
  }
}

describe.each(PLATFORMS)('an error of ours on $platform', ({ adapter }: Platform) => {
  async function app(answerer: Answerer) {
    const { url } = await start(
      {
        imports: [ResilienceModule.forRoot({ exceptionFilter: answerer === 'module' })],
        controllers: [InsideController],
        providers: [InsideClient, ...(answerer === 'own' ? [{ provide: APP_FILTER, useClass: MessageFilter }] : [])],
      },
      {
        adapter,
        prepare: (app) =>
          app.use('/early', ({ url }: { url: string }, _response: unknown, next: (error: unknown) => void) => {
            const kind = KINDS.find(([one]) => url.includes(one))?.[0] ?? 'open';
            app.get(InsideClient).fail(kind).catch(next);
          }),
      },
    );
    return url;
  }

  describe.each(ANSWERERS)('answered by: %s', (answerer) => {
    it.each(KINDS)('shows nothing of the inside, when it is %s', async (kind, code, phrase) => {
      const url = await app(answerer);

      const response = await fetch(`${url}/answer/${kind}`);
      const body = (await response.json()) as { statusCode?: number; own?: string };

      expectPublic(body);
      expectPublic([...response.headers].filter(([name]) => name !== 'keep-alive' && name !== 'connection'));
      if (answerer === 'own') {
        expect(body.own).toMatch(new RegExp(`^${phrase} \\(${code}\\)(, retry after \\d+ s)?$`));
      } else {
        expect(body).toEqual({ statusCode: response.status, message: phrase, errorCode: code });
      }
    });

    it.each(KINDS)('shows nothing of the inside, when middleware fails with %s', async (kind, code) => {
      const url = await app(answerer);

      const response = await fetch(`${url}/early/${kind}`);
      const text = await response.text();

      expect(response.status).toBeGreaterThanOrEqual(429);
      expect(text).toContain(code);
      expectPublic(text);
    });

    it.each(KINDS)('shows nothing of the inside in mid-stream, when it is %s', async (kind, code) => {
      const url = await app(answerer);

      const response = await fetch(`${url}/stream/${kind}`);
      const text = await response.text();

      expect(text).toContain('data: first');
      expect(text).toContain(code);
      expectPublic(text);
    });
  });
});
