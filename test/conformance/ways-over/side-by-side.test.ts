import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { expect, it, onTestFinished } from 'vitest';
import { moduleOf, pageOf, type RatesClient } from './pages.js';
import { tell } from './story.js';

it('judges in the shadow of the old breaker, refuses nothing, and says in the log what the page says', async () => {
  const { RatesClient: Client } = await moduleOf('index', 'shadow.ts');
  const lines: string[] = [];
  const note = (text: string, context: string): number => lines.push(`WARN [${context}] ${text}`);
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot()],
    providers: [Client as Type],
  })
    .setLogger({ log: () => undefined, error: () => undefined, warn: note })
    .compile();
  await module.init();
  onTestFinished(() => module.close());
  const client = module.get<RatesClient & { old: { opened: boolean; shutdown(): void } }>(Client as Type);
  onTestFinished(() => client.old.shutdown());
  const shadow = module.get(ResilienceService).circuitBreaker('rates');

  const story = await tell(client, () => `${client.old.opened ? 'open' : 'closed'} and ${shadow.state}`, [
    ...(['up', 'up', 'down', 'down', 'down', 'up'] as const).map((upstream) => ({ upstream })),
    { upstream: 'up', after: 33_000 },
  ]);

  expect(story).toEqual([
    'up: 1.08, asked 1, closed and closed',
    'up: 1.08, asked 1, closed and closed',
    'down: fetch failed, asked 1, closed and closed',
    'down: fetch failed, asked 1, closed and closed',
    'down: fetch failed, asked 1, open and open',
    'up: Breaker is open, asked 0, open and open',
    'up: 1.08, asked 1, closed and closed',
  ]);
  expect(await pageOf('index')).toContain(lines[0]);
});
