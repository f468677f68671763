import { describe, expect, it } from 'vitest';
import { isOwnOrigin } from '../../../../lib/observability/dashboard/access/own-origin.js';
import { operatorOf } from '../../../../lib/observability/dashboard/actions/operator.js';
import { SeenIds } from '../../../../lib/observability/dashboard/actions/seen-ids.js';
import { LastErrors } from '../../../../lib/observability/dashboard/hub/last-errors.js';
import { textOf } from '../../../../lib/observability/dashboard/views/plan-view.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const ALLOWED = ['https://admin.example.com'];

describe('the origin of an action', () => {
  it.each([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://x.example', host: 'inside:3000' }, true],
    [{ 'sec-fetch-site': 'cross-site', origin: 'http://x.example', host: 'x.example' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://admin.example.com', host: 'inside' }, true],
    [{ 'sec-fetch-site': '' }, false],
    [{ origin: 'http://x.example:3000', host: 'x.example:3000' }, true],
    [{ origin: 'https://x.example', host: 'x.example' }, true],
    [{ origin: 'https://x.example', host: 'X.example:443' }, true],
    [{ origin: 'http://x.example', host: 'x.example:443' }, false],
    [{ origin: 'http://x.example:3001', host: 'x.example:3000' }, false],
    [{ origin: 'http://x.example.evil', host: 'x.example' }, false],
    [{ origin: 'null', host: 'null' }, false],
    [{ host: 'x.example' }, false],
    [{}, false],
  ])('%j: %s', (headers, own) => {
    expect(isOwnOrigin(headers, ALLOWED)).toBe(own);
  });
});

describe('who acts', () => {
  it.each([
    [{ user: { id: 7 }, ip: '10.0.0.1' }, '7 at 10.0.0.1'],
    [{ user: { name: 'Ann', sub: 'x' }, ip: '10.0.0.1' }, 'Ann at 10.0.0.1'],
    [{ user: 'ann', ip: '10.0.0.1' }, 'ann at 10.0.0.1'],
    [{ user: { id: { toString: 'evil' } }, ip: '10.0.0.1' }, 'somebody at 10.0.0.1'],
    [{ user: { id: 'x\n'.repeat(100) }, ip: '10.0.0.1' }, `${'x\\u{a}'.repeat(32)}... at 10.0.0.1`],
    [{ socket: { remoteAddress: '::1' } }, 'somebody at ::1'],
    [{}, 'somebody at an unknown address'],
  ])('%j', (request, by) => {
    expect(operatorOf(request)).toBe(by);
  });
});

it('ids are remembered, and not without end', () => {
  const seen = new SeenIds();
  for (let index = 0; index <= 10_000; index++) seen.add(`ID-${index}`);

  expect([seen.has('id-0'), seen.has('id-1'), seen.has('ID-10000')]).toEqual([false, true, true]);
});

describe('the last errors', () => {
  it('are five at most, no two of a second, and without credentials', async () => {
    const clock = new VirtualClock();
    const errors = new LastErrors(clock);
    for (let second = 0; second < 7; second++) {
      errors.add('a', new Error(`mysql://root:secret@db/${second}`));
      errors.add('a', new Error('of the same second'));
      await clock.advance(1_000);
    }
    errors.add('b', new Error('of another'));

    expect(errors.of('a').map(({ text }) => text)).toEqual(
      [2, 3, 4, 5, 6].map((second) => `Error: mysql://***@db/${second}`),
    );
    expect(errors.of('b')).toHaveLength(1);
    errors.forget('a');
    expect(errors.of('a')).toEqual([]);
  });

  it('keep hold of no error', () => {
    const errors = new LastErrors(new VirtualClock());
    errors.add('a', Object.assign(new Error('x'), { huge: new Array(10) }));

    expect(Object.values(errors.of('a')[0] as object).every((value) => typeof value !== 'object')).toBe(true);
  });
});

describe('options as text', () => {
  it.each([
    ['limit', Infinity, '"Infinity"'],
    ['trip', { kind: 'failureRate', on: [1, 2] }, '{"kind":"failureRate","on":[1,2]}'],
    ['errorFilter', function isFine() {}, 'function isFine'],
    ['password', 'hunter2', '"***"'],
    ['use', { url: 'redis://u:p@h', apiKey: 'k' }, '{"url":"redis://***@h","apiKey":"***"}'],
    ['big', 10n, 'a value that cannot be shown'],
  ])('%s', (option, value, text) => {
    expect(textOf(option, value)).toBe(text);
  });
});
