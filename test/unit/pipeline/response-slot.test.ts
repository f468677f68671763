import { describe, expect, it } from 'vitest';
import { takeResponse } from '../../../lib/pipeline/response-slot.js';

const response = { getHeader: () => undefined };
const SLOT = { at: 3, count: 2 };

describe('the response that Nest hands to a handler', () => {
  it('is taken out of the arguments that the method gets', () => {
    const onStale = (): void => undefined;

    expect(takeResponse({ response: SLOT, onStale }, ['id', 'body', 'between', response])).toEqual({
      args: ['id', 'body'],
      origin: { response, onStale },
    });
  });

  it.each([
    ['nowhere', {}, ['id', response]],
    ['not there', { response: SLOT }, ['id', 'body']],
    ['by somebody else', { response: SLOT }, ['id', 'body', 'between', 'an argument']],
    ['without headers', { response: SLOT }, ['id', 'body', 'between', { getHeader: 5 }]],
  ])('is none where it is handed %s', (_, init, args) => {
    expect(takeResponse(init, args)).toBeUndefined();
  });
});
