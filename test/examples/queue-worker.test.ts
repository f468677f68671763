import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { expect, it, onTestFinished } from 'vitest';
import { redisBroker } from '../support/servers/brokers.js';
import { Example, TIMEOUT } from './support/example.js';
import { provider } from './support/provider.js';

const { url, missing } = await redisBroker();

/** The example on a queue that no other run uses. */
async function worker(mailUrl: string) {
  const name = `example-${randomUUID()}`;
  const queue = new Queue(name, { connection: { url: url.href } });
  onTestFinished(async () => {
    await queue.obliterate({ force: true });
    await queue.close();
  });
  const app = await Example.start('queue-worker/main', { MAIL_QUEUE: name, REDIS_URL: url.href, MAIL_URL: mailUrl });
  const add = () => app.send('POST', '/mails', { to: 'ann@example.com' });
  return { app, queue, add };
}

it.skipIf(missing !== undefined)(
  'sends everything although the provider is down for a while, and its breaker opens',
  { timeout: TIMEOUT },
  async () => {
    let down = true;
    const { url: mailUrl, requests } = await provider((_, response) => response.writeHead(down ? 500 : 200).end());
    const { app, queue, add } = await worker(mailUrl);

    for (let mail = 0; mail < 8; mail++) expect((await add()).status).toBe(201);
    await expect.poll(() => app.log).toMatch(/mail: circuit breaker is open/);
    down = false;

    await expect.poll(() => queue.getCompletedCount(), { timeout: 60_000 }).toBe(8);
    expect(await queue.getFailedCount()).toBe(0);
    // Some failed before the breaker opened. Without it each job would fail again every few hundred ms.
    expect(requests.length - 8).toBeLessThanOrEqual(8);
  },
);

it.skipIf(missing !== undefined)('lets the mail under way end at SIGTERM', { timeout: TIMEOUT }, async () => {
  let answer: () => void = () => undefined;
  const { url: mailUrl, requests } = await provider((_, response) => (answer = () => response.end()));
  const { app, queue, add } = await worker(mailUrl);
  await add();
  await expect.poll(() => requests.length).toBe(1);

  const stopped = app.stop('SIGTERM');
  await expect
    .poll(() =>
      app.ask('/mails').then(
        () => 'open',
        () => 'closed',
      ),
    )
    .toBe('closed');
  answer();

  expect(await stopped).toBe('SIGTERM');
  expect(await queue.getCompletedCount()).toBe(1);
});
