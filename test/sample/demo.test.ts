import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { cli } from '../cli/support/run-cli.js';
import { builtSample } from './support/built-sample.js';
import { Shop } from './support/shop.js';

beforeAll(async () => {
  await builtSample();
}, 300_000);

async function openShop(env: Record<string, string>): Promise<Shop> {
  const shop = await Shop.start(env);
  onTestFinished(async () => void (await shop.stop()));
  return shop;
}

const press = (url: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  });

const canAct = async (url: string, headers: Record<string, string> = {}): Promise<boolean> => {
  const response = await fetch(`${url}/resilience/api/state`, { headers });
  return ((await response.json()) as { canAct: boolean }).canAct;
};

describe('the page of the shop', () => {
  it(
    'breaks and heals the provider by its buttons, and the dashboard and `ls` show it',
    { timeout: 120_000 },
    async () => {
      const shop = await openShop({ DATA_DIR: await temporaryFolder() });
      const { url } = shop;

      const page = await fetch(url);
      const html = await page.text();
      const broken = await press(url, '/demo/mode', 'mode=failing');
      const ordered = await press(url, '/demo/orders');
      const { out, code } = await cli(['ls', `${url}/resilience`]);
      const health = await shop.get<{ details: object }>('/health');
      const healed = await press(url, '/demo/mode', 'mode=healthy');

      expect(shop.log).toContain(`${url}/resilience`);
      expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      for (const mode of ['healthy', 'slow', 'flaky', 'failing', 'hanging', 'gone'])
        expect(html).toContain(`<button name="mode" value="${mode}"`);
      expect(html).not.toMatch(/<script|style=|onclick/);
      expect((await fetch(`${url}/demo/style.css`)).headers.get('content-type')).toMatch(/^text\/css/);
      expect([broken, ordered, healed].map(({ status }) => status)).toEqual([303, 303, 303]);
      expect(ordered.headers.get('location')).toMatch(/^\/\?paid=\d+&pending=\d+&failed=0&tookMs=\d+$/);
      expect(code).toBe(0);
      expect(out).toMatch(/^payments +(?:open|halfOpen) /m);
      expect(health).toMatchObject({ status: 200, body: { details: { resilience: { breakers: { payments: {} } } } } });
    },
  );

  it('heeds no other page, nor what is no mode or no number', { timeout: 60_000 }, async () => {
    const { url } = await openShop({ DATA_DIR: await temporaryFolder() });

    const answers = [
      await press(url, '/demo/mode', 'mode=gone', { 'sec-fetch-site': 'cross-site' }),
      await press(url, '/demo/mode', 'mode=%3Cscript%3E'),
      await fetch(`${url}/?paid=%3Cscript%3E`),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 400, 400]);
  });

  it('lets those steer who sit at this machine, or with OPERATOR_TOKEN who know it', { timeout: 60_000 }, async () => {
    const open = await openShop({ DATA_DIR: await temporaryFolder() });
    const closed = await openShop({ DATA_DIR: await temporaryFolder(), OPERATOR_TOKEN: 'sesame' });

    expect(await canAct(open.url)).toBe(true);
    expect(await canAct(open.url, { 'x-forwarded-for': '203.0.113.7' })).toBe(false);
    expect(await canAct(closed.url)).toBe(false);
    expect(await canAct(closed.url, { authorization: 'Bearer sesam' })).toBe(false);
    expect(await canAct(closed.url, { authorization: 'Bearer sesame' })).toBe(true);
  });
});
