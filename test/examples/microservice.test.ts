import { expect, it } from 'vitest';
import { freePort } from '../support/servers/free-port.js';
import { Example, TIMEOUT } from './support/example.js';

const OPEN = /stock: circuit breaker is open/;

it('hands on the time limit, answers without the stock, and has a breaker for each', { timeout: TIMEOUT }, async () => {
  const [PRICES_PORT, STOCK_PORT] = [String(await freePort()), String(await freePort())];
  const prices = await Example.start('microservice/prices', { PRICES_PORT }, 'PRICES_PORT');
  const gateway = await Example.start('microservice/gateway', { PRICES_PORT, STOCK_PORT });
  const product = (headers = {}) => gateway.ask('/products/tea', { headers });

  const { status, body } = await product();
  expect(status).toBe(200);
  expect(body).toMatchObject({ cents: 120, pieces: null });
  const usual = (body as { timeLeft: number }).timeLeft;
  expect(usual).toBeLessThanOrEqual(800);
  // A quarter of a second may be over on a slow machine: then it is asked again.
  const hurried = async () => (await product({ 'x-request-timeout': '250m' })).body;
  await expect.poll(hurried).toMatchObject({ cents: 120, timeLeft: expect.toSatisfy((ms: number) => ms <= 250) });
  await expect.poll(async () => [(await product()).status, gateway.log]).toEqual([200, expect.stringMatching(OPEN)]);
  expect(gateway.log).not.toContain('prices: circuit breaker');
  expect(await product()).toMatchObject({ status: 200, body: { cents: 120, pieces: null } });

  await prices.stop();

  await expect.poll(async () => (await product()).body).toMatchObject({ errorCode: 'CIRCUIT_OPEN' });
  expect((await product()).status).toBe(503);
});
