import { describe, expect, it } from 'vitest';
import { LONGEST_REPORT, readReport, writeReport } from '../../../../../lib/cluster/etcd/breakers/trip-report.js';

describe('the report of a process', () => {
  it('is read as it was written', () => {
    const report = { open: ['payments'], called: ['payments', 'Orders.send'] };

    expect(writeReport(report)).toEqual({ text: JSON.stringify(report), leftOut: 0 });
    expect(readReport(JSON.parse(writeReport(report).text))).toEqual(report);
  });

  it('is at most 64 KiB long, and leaves the least recent out', () => {
    const called = Array.from({ length: 3_000 }, (_, index) => `breaker-${index}-${'ä'.repeat(10)}`);

    const { text, leftOut } = writeReport({ open: called.slice(0, 2), called });

    const read = readReport(JSON.parse(text));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LONGEST_REPORT);
    expect(Buffer.byteLength(text)).toBeGreaterThan(LONGEST_REPORT - 100);
    expect(read?.open).toEqual(called.slice(0, 2));
    expect(read?.called).toEqual(called.slice(0, 3_000 - leftOut));
  });

  it.each([
    ['no object', undefined, undefined],
    ['a text', 'a', undefined],
    ['a later version', { open: ['a', 1, 'a'], called: 7, more: {} }, { open: ['a'], called: [] }],
  ])('says nothing that it does not say: %s', (_, value, read) => {
    expect(readReport(value)).toEqual(read);
  });
});
