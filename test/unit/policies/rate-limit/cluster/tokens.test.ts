import { describe, expect, it } from 'vitest';
import { Tokens } from '../../../../../lib/policies/rate-limit/cluster/tokens.js';

describe('Tokens', () => {
  it('lets calls begin by what was granted, as far as it goes', () => {
    const tokens = new Tokens();
    expect([tokens.left(0), tokens.take(1, 0)]).toEqual([0, false]);

    tokens.add(3, 0);
    expect([tokens.take(2, 0), tokens.take(2, 0), tokens.take(1, 0), tokens.take(1, 0)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('lose what has not been used for 50 ms; a new grant keeps what is left', () => {
    const tokens = new Tokens();
    tokens.add(3, 0);
    expect(tokens.left(49)).toBe(3);
    tokens.add(2, 49);
    expect([tokens.left(98), tokens.left(99)]).toEqual([5, 0]);

    expect(tokens.take(1, 99)).toBe(false);
    tokens.add(1, 99);
    expect(tokens.left(99)).toBe(1);
  });

  describe('what is used within 25 ms', () => {
    function used(moments: readonly (readonly [at: number, cost: number])[]): Tokens {
      const tokens = new Tokens();
      for (const [at, cost] of moments) {
        tokens.add(cost, at);
        tokens.take(cost, at);
      }
      return tokens;
    }

    it('is nothing where nothing was', () => {
      expect(new Tokens().recent(0)).toBe(0);
    });

    it('is the sum of the span at hand', () => {
      const tokens = used([
        [0, 2],
        [24, 3],
      ]);

      expect([tokens.recent(24), tokens.recent(25)]).toEqual([5, 5]);
    });

    it('is that of the span before, where that is more', () => {
      const tokens = used([
        [0, 5],
        [25, 2],
      ]);
      expect(tokens.recent(30)).toBe(5);
      tokens.add(9, 30);
      tokens.take(9, 30);

      expect(tokens.recent(31)).toBe(11);
    });

    it('is remembered for 250 ms over a pause', () => {
      const tokens = used([[0, 5]]);

      expect(tokens.recent(100)).toBe(5);
      expect(tokens.recent(274)).toBe(5);
      expect(tokens.recent(275)).toBe(0);
    });
  });
});
