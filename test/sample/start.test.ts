import { expect, it } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { Shop } from './support/shop.js';

it('the shop starts without a warning of its plans', { timeout: 300_000 }, async () => {
  const shop = await Shop.start({ DATA_DIR: await temporaryFolder() });
  try {
    expect(shop.log).toContain('ResilienceModule dependencies initialized');
    expect(shop.log).not.toContain('silences this');
  } finally {
    await shop.stop();
  }
});
