import { expect, it } from 'vitest';
import { Example, TIMEOUT } from './support/example.js';
import { provider } from './support/provider.js';

it('hides that every third request to the provider fails', { timeout: TIMEOUT }, async () => {
  const app = await Example.start('http-client/main');

  for (let call = 0; call < 8; call++) expect(await app.ask('/weather/Rome')).toMatchObject({ status: 200 });
  expect((await app.ask('/weather/Atlantis')).status).toBe(404);
});

it('asks a provider that is down three times, five in all, and then no more', { timeout: TIMEOUT }, async () => {
  const { url, requests } = await provider((_, response) => response.writeHead(500).end());
  const app = await Example.start('http-client/main', { WEATHER_URL: url });

  const first = await app.ask('/weather/Rome');
  expect(first.status).toBe(500);
  expect(requests.map(({ headers }) => headers['x-retry-attempt'])).toEqual(['1', '2', '3']);
  expect(requests[0]?.headers['x-request-timeout']).toMatch(/^\d+m$/);

  const second = await app.ask('/weather/Rome');
  const third = await app.ask('/weather/Rome');

  expect(requests).toHaveLength(5);
  expect([second.status, third.status]).toEqual([503, 503]);
  expect(third.body).toMatchObject({ errorCode: 'CIRCUIT_OPEN' });
  expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
});

it('answers 504 for a provider that hangs, and ends the requests', { timeout: TIMEOUT }, async () => {
  let ended = 0;
  const { url, requests } = await provider((_, response) => response.on('close', () => ended++));
  const app = await Example.start('http-client/main', { WEATHER_URL: url });

  expect((await app.ask('/weather/Rome')).status).toBe(504);

  await expect.poll(() => ended).toBe(requests.length);
});
