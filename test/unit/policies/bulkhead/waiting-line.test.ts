import { describe, expect, it } from 'vitest';
import { WaitingLine, type Place } from '../../../../lib/policies/bulkhead/waiting-line.js';
import { pick, seededRandom } from '../../../support/seeded-random.js';

interface Numbered extends Place {
  readonly id: number;
}

const place = (priority: number, id = 0): Numbered => ({ priority, id, node: undefined });

/** Empties a line from the front. */
function drain(line: WaitingLine<Numbered>): number[] {
  const ids: number[] = [];
  for (let { first } = line; first !== undefined; first = line.first) {
    ids.push(first.id);
    line.leave(first);
  }
  return ids;
}

describe('WaitingLine', () => {
  it('gives the more important first, among equals the earlier', () => {
    const line = new WaitingLine<Numbered>();
    for (const [id, priority] of [0, 5, -1, 5, 0, Infinity, -Infinity].entries()) line.join(place(priority, id));

    expect(line.last?.id).toBe(6);
    expect(drain(line)).toEqual([5, 1, 3, 0, 4, 2, 6]);
    expect([line.size, line.first, line.last]).toEqual([0, undefined, undefined]);
  });

  it('does not mind who leaves twice, or never joined', () => {
    const line = new WaitingLine<Numbered>();
    const one = place(1);
    line.join(one);

    line.leave(place(1));
    line.leave(one);
    line.leave(one);

    expect(line.size).toBe(0);
  });

  it.each([1, 2, 3, 4, 5])('agrees with a sorted list, seed %i', (seed) => {
    const random = seededRandom(seed);
    const line = new WaitingLine<Numbered>();
    let list: Numbered[] = [];
    for (let id = 0; id < 2_000; id++) {
      if (random() < 0.55) {
        const newcomer = place(pick(random, 6), id);
        line.join(newcomer);
        list.push(newcomer);
        list.sort((one, other) => other.priority - one.priority || one.id - other.id);
      } else if (list.length > 0) {
        const leaver = list[pick(random, list.length)] as Numbered;
        line.leave(leaver);
        list = list.filter((one) => one !== leaver);
      }
      const level = pick(random, 7);
      expect([line.size, line.first, line.last, line.ahead(level)]).toEqual([
        list.length,
        list[0],
        list.at(-1),
        list.filter(({ priority }) => priority >= level).length,
      ]);
    }

    expect(drain(line)).toEqual(list.map(({ id }) => id));
  });

  it.each(['in one order', 'each more important than the one before'])('stays shallow, when all come %s', (order) => {
    const line = new WaitingLine<Numbered>();
    let asked = 0;
    const counting = (priority: number): Numbered => ({
      id: 0,
      node: undefined,
      get priority() {
        asked++;
        return priority;
      },
    });
    for (let id = 0; id < 10_000; id++) line.join(counting(order === 'in one order' ? 0 : id));
    asked = 0;

    line.ahead(0.5);

    expect(asked).toBeLessThan(60);
  });
});
