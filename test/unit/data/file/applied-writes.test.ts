import { DataKeyException, DataValueException, FileDataService } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../contract/temporary-folder.js';

const VERSION = '0'.repeat(27) + '1';
const LONGEST = JSON.stringify('x'.repeat(1024 * 1024 - 2));

describe('a write from another store', () => {
  it('is refused where a record has no room for it, and the folder opens afterwards', async () => {
    const path = await temporaryFolder();
    const data = await FileDataService.open({ path });
    await data.put('before', 1);

    await expect(data.apply({ key: 'a', text: `${LONGEST} `, version: VERSION })).rejects.toThrow(DataValueException);
    for (const version of ['', 'v1', `${VERSION}0`, VERSION.replace('1', 'G')]) {
      await expect(data.apply({ key: 'a', text: '1', version })).rejects.toThrow(DataKeyException);
    }
    expect(await data.apply({ key: 'a', text: LONGEST, version: VERSION })).toBe(VERSION);
    await data.close();

    const later = await FileDataService.open({ path });
    expect(await later.lastWrite('a')).toEqual({ key: 'a', text: LONGEST, version: VERSION });
    expect(await later.get('before')).toBe(1);
    await later.close();
  });
});
