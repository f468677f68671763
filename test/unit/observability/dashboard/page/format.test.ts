import { describe, expect, it } from 'vitest';
import { pauseMs } from '../../../../../lib/observability/dashboard/page/src/model/backoff.js';
import {
  count,
  duration,
  percent,
  secondsUntil,
  visible,
} from '../../../../../lib/observability/dashboard/page/src/model/format.js';
import { addressOf, routeOf } from '../../../../../lib/observability/dashboard/page/src/model/route.js';
import { chartData, stacked } from '../../../../../lib/observability/dashboard/page/src/model/series.js';
import { NOTHING } from '../../../../../lib/observability/dashboard/page/src/model/sample.js';
import { told } from '../../../../../lib/observability/dashboard/page/src/model/timeline.js';
import { Trend, TREND_SECONDS } from '../../../../../lib/observability/dashboard/page/src/model/trend.js';

it.each([
  [0, '0'],
  [0.44, '0.4'],
  [9.96, '10'],
  [12.4, '12'],
  [1_240, '1,240'],
  [12_400, '12k'],
  [3_100_000, '3.1M'],
])('shows the number %d as %s', (value, text) => {
  expect(count(value)).toBe(text);
});

it.each([
  [null, '–'],
  [0.04, '0 ms'],
  [3.26, '3.3 ms'],
  [999, '999 ms'],
  [1_240, '1.2 s'],
  [61_000, '1 min'],
  [7_200_000, '2 h'],
])('shows the duration %d as %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

it.each([
  [null, '–'],
  [NaN, '–'],
  [0, '0 %'],
  [0.0004, '<0.1 %'],
  [0.031, '3.1 %'],
  [0.999, '99 %'],
  [1, '100 %'],
])('shows the share %d as %s', (share, text) => {
  expect(percent(share)).toBe(text);
});

it('counts down to nothing', () => {
  expect([secondsUntil(5_200, 1_000), secondsUntil(5_000, 5_000), secondsUntil(5_000, 9_000)]).toEqual([5, 0, 0]);
});

describe('a text from elsewhere', () => {
  it('shows what would be invisible', () => {
    expect(visible('a\nb\u0000c\u202ed\u200be')).toBe('a<000A>b<0000>c<202E>d<200B>e');
  });

  it('is cut', () => {
    expect(visible('x'.repeat(10_000))).toBe(`${'x'.repeat(300)}… (10000 characters)`);
  });

  it('is left alone otherwise', () => {
    expect(visible('<script>alert(1)</script> Zahlung äöü 支払い')).toBe(
      '<script>alert(1)</script> Zahlung äöü 支払い',
    );
  });
});

describe('an address', () => {
  it.each(['payments', 'a/b?c#d', '100 %', '<script>', '\u0001\n', '支払い', '..'])('leads to %j', (name) => {
    expect(routeOf(addressOf(name))).toEqual({ page: 'instance', name });
  });

  it('is made of half a pair too', () => {
    expect(routeOf(addressOf('a\ud800b'))).toEqual({ page: 'instance', name: 'a\ufffdb' });
  });

  it.each(['', '#', '#/', '#/i/%E0%A4%A', '#other'])('leads to the list, where it is %j', (hash) => {
    expect(routeOf(hash)).toEqual({ page: 'list' });
  });
});

describe('a chart', () => {
  it('makes rates of counts, and goes on with the seconds that came since', () => {
    const { at, success, failure, refused, p95 } = chartData(
      [
        [5_000, 50, 5, 0, 0, 1, 2, 3],
        [10_000, 100, 0, 25, 0, null, null, null],
      ],
      [
        { at: 9_000, numbers: { ...NOTHING, calls: 1 } },
        { at: 11_000, numbers: { ...NOTHING, calls: 30, failures: 4, refused: 6, p95: 9 } },
      ],
    );

    expect(at).toEqual([5, 10, 11]);
    expect(success).toEqual([10, 20, 20]);
    expect(failure).toEqual([1, 0, 4]);
    expect(refused).toEqual([0, 5, 6]);
    expect(p95).toEqual([2, null, 9]);
  });

  it('has nothing to show before the first point', () => {
    expect(chartData([]).at).toEqual([]);
    expect(chartData([[1_000, 3, 0, 0, 0, null, null, null]]).success).toEqual([3]);
  });

  it('stands areas upon one another', () => {
    const lists = [
      [1, 2],
      [10, 20],
      [100, 200],
    ];

    expect(stacked(lists)).toEqual([
      [111, 222],
      [110, 220],
      [100, 200],
    ]);
  });
});

it('keeps a minute, oldest first', () => {
  const trend = new Trend();
  for (let second = 0; second < TREND_SECONDS + 5; second++) trend.push({ ...NOTHING, calls: second, failures: 1 });

  expect(trend.calls.at(0)).toBe(5);
  expect(trend.calls.at(-1)).toBe(TREND_SECONDS + 4);
  expect(trend.recent(2)).toEqual({ calls: 2 * TREND_SECONDS + 7, failed: 2, refused: 0 });
});

it('waits longer each time, to a quarter of a minute or so, and never the same for all', () => {
  expect([1, 2, 3].map((failures) => pauseMs(failures, 0.5))).toEqual([500, 1_000, 2_000]);
  expect([pauseMs(50, 0), pauseMs(50, 1)]).toEqual([11_250, 18_750]);
});

it('finds decisions by all words', () => {
  const entry = {
    id: 1,
    at: 1,
    type: 't',
    name: 'Payments',
    policy: 'retry',
    text: 'gave up',
    level: 'info',
    repeats: 0,
  };
  const entries = [entry, { ...entry, name: 'stock' }] as Parameters<typeof told>[0];

  expect(told(entries, 'PAY gave').map(({ name }) => name)).toEqual(['Payments']);
  expect(told(entries, ' ')).toBe(entries);
});
