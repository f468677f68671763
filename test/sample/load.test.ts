import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { builtSample } from './support/built-sample.js';
import { Shop, type Answer } from './support/shop.js';

const REQUESTS = 1_000;
const WARM_UP = 200;
const AT_ONCE = 50;
/** The limit of the slowest route. */
const TOTAL_MS = 1_500;
/** What the contract allows on top, on a machine whose routes without any policy answer within that. */
const GRACE_MS = 100;
/** On a busier one: an order takes so many times the work of such a route, all of it at a snail's pace. */
const ORDER_WORK = 3;
const RECOVERY = { timeout: 30_000, interval: 100 };

/** What becomes of the upstream when so many requests have begun. */
const FATE = new Map([
  [REQUESTS / 4, 'hanging'],
  [REQUESTS / 2, 'gone'],
  [(REQUESTS * 3) / 4, 'healthy'],
]);

beforeAll(async () => {
  await builtSample();
}, 300_000);

/** Mostly buyers, and some who look around. */
function visit(shop: Shop, serial: number): Promise<Answer> {
  switch (serial % 10) {
    case 7:
      return shop.get('/catalogue/CUP/quote?currency=GBP');
    case 8:
      return shop.get('/catalogue');
    case 9:
      return shop.get('/orders?limit=5');
    default:
      return shop.order();
  }
}

async function crowd(requests: number, visit: (serial: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  let begun = 0;
  const visitor = async (): Promise<void> => {
    while (begun < requests) answers.push(await visit(++begun));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitor));
  return answers;
}

/** The slowest answer of a route without any policy: it tells whether the machine has other things to do. */
async function machineMs(shop: Shop): Promise<number> {
  const answers = await crowd(WARM_UP, () => shop.get('/health'));
  return Math.max(...answers.map(({ took }) => took));
}

function figures(answers: readonly Answer[]): string {
  const took = answers.map((answer) => answer.took).sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(took[Math.ceil(took.length * share) - 1] ?? 0)} ms`;
  const counts = new Map<number, number>();
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  const statuses = [...counts].map(([status, count]) => `${count} x ${status}`).join(', ');
  return `${answers.length} answers: ${statuses}; median ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`;
}

describe('1,000 requests, 50 at a time, while the upstream goes healthy, hanging, gone, healthy', () => {
  it('are all answered in time, and the breaker is closed in the end', { timeout: 120_000, retry: 1 }, async () => {
    const shop = await Shop.start({ DATA_DIR: await temporaryFolder() });
    onTestFinished(async () => void (await shop.stop()));

    await crowd(WARM_UP, (serial) => visit(shop, serial));
    const before = await machineMs(shop);
    const answers = await crowd(REQUESTS, async (serial) => {
      const fate = FATE.get(serial);
      if (fate !== undefined) expect(await shop.upstream(fate)).toMatchObject({ status: 200 });
      return visit(shop, serial);
    });
    const machine = Math.max(before, await machineMs(shop));
    const grace = machine <= GRACE_MS ? GRACE_MS : ORDER_WORK * machine;
    console.log(`${figures(answers)}; allowed ${Math.round(TOTAL_MS + grace)} ms (/health: ${Math.round(machine)} ms)`);

    expect(answers).toHaveLength(REQUESTS);
    expect(answers.filter(({ status }) => ![200, 201, 503, 504].includes(status))).toEqual([]);
    expect(answers.filter(({ took }) => took > TOTAL_MS + grace)).toEqual([]);
    expect(answers.filter(({ text }) => /password|ledger/.test(text))).toEqual([]);
    await expect.poll(() => shop.breaker('payments'), RECOVERY).toBe('closed');
    await expect.poll(async () => (await shop.order()).body.payment.status, RECOVERY).toBe('paid');
    expect(shop.log).not.toMatch(/ERROR|unhandled/i);
    expect(shop.process.exitCode).toBeNull();
  });
});
