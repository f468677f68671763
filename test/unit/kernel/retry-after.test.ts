import { describe, expect, it } from 'vitest';
import { retryAfterOf } from '../../../lib/kernel/retry-after.js';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const read = (error: unknown) => retryAfterOf(error, { wallNow: () => NOW });
const answer = (value: unknown) => ({ response: { headers: { 'retry-after': value } } });

describe('retryAfterOf', () => {
  it('reads seconds, as a text or as a number', () => {
    expect(read(answer('120'))).toBe(120_000);
    expect(read(answer(' 7 '))).toBe(7_000);
    expect(read(answer(3))).toBe(3_000);
    expect(read(answer('0'))).toBe(0);
    expect(read(answer('1.5'))).toBe(1_500);
  });

  it('reads a date as the time until then', () => {
    expect(read(answer('Tue, 01 Jan 2030 00:00:30 GMT'))).toBe(30_000);
    expect(read(answer('2030-01-01T00:01:00Z'))).toBe(60_000);
  });

  it('reads a date that has passed as 0', () => {
    expect(read(answer('Mon, 31 Dec 2029 23:00:00 GMT'))).toBe(0);
  });

  it('reads the first of several', () => {
    expect(read(answer(['5', '9']))).toBe(5_000);
    expect(read(answer([]))).toBeUndefined();
  });

  it('reads the headers of fetch', () => {
    const response = new Response('', { status: 503, headers: { 'Retry-After': '4' } });

    expect(read({ response })).toBe(4_000);
    expect(read({ headers: response.headers })).toBe(4_000);
  });

  it('reads headers with get(), as axios has them', () => {
    const headers = { get: (name: string) => (name.toLowerCase() === 'retry-after' ? '6' : null) };

    expect(read({ response: { headers } })).toBe(6_000);
  });

  it('reads plain headers, in capitals too, of the error or of its response', () => {
    expect(read({ headers: { 'retry-after': '1' } })).toBe(1_000);
    expect(read({ headers: { 'Retry-After': '2' } })).toBe(2_000);
    expect(read({ response: { headers: { 'Retry-After': '3' } } })).toBe(3_000);
  });

  it('reads the response of the AWS SDK', () => {
    expect(read({ $response: { headers: { 'retry-after': '9' } } })).toBe(9_000);
  });

  it("looks at the response, where the error's own headers say nothing", () => {
    expect(read({ headers: new Headers(), ...answer('8') })).toBe(8_000);
  });

  it('reads retryAfterMs of our own refusals', () => {
    expect(read({ retryAfterMs: 1_234 })).toBe(1_234);
    expect(read({ retryAfterMs: -1, ...answer('2') })).toBe(2_000);
    expect(read({ retryAfterMs: NaN })).toBeUndefined();
  });

  it.each([
    ['nothing', {}],
    ['no response', { response: null }],
    ['no headers', { response: { headers: null } }],
    ['an empty text', answer('')],
    ['a word', answer('soon')],
    ['NaN', answer(NaN)],
    ['a negative number', answer(-5)],
    ['an object', answer({})],
    ['null', null],
    ['a text as the error', 'retry-after: 5'],
    ['undefined', undefined],
  ])('finds none in %s', (_what, error) => {
    expect(read(error)).toBeUndefined();
  });
});
