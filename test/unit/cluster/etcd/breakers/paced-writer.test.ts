import { describe, expect, it } from 'vitest';
import { PacedWriter } from '../../../../../lib/cluster/etcd/breakers/paced-writer.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

function setUp() {
  const clock = new VirtualClock();
  const state = { text: 'a', written: [] as string[], fails: false, hangs: false };
  const writer = new PacedWriter(clock, () => state.text);
  const put = (text: string): Promise<void> => {
    state.written.push(text);
    if (state.hangs) return new Promise(() => undefined);
    return state.fails ? Promise.reject(new Error('away')) : Promise.resolve();
  };
  const change = (text: string): void => {
    state.text = text;
    writer.changed();
  };
  return { clock, state, writer, put, change };
}

describe('a text that is kept elsewhere', () => {
  it('is written at once, and then once a second as it is by then', async () => {
    const { clock, state, writer, put, change } = setUp();
    await writer.writeBy(put);

    for (let step = 0; step < 30; step++) {
      change(`b${step}`);
      await clock.advance(100);
    }
    await clock.advance(5_000);
    change('c');
    await clock.advance(1);

    expect(state.written).toEqual(['a', 'b9', 'b19', 'b29', 'c']);
  });

  it('is not written where it is the same', async () => {
    const { clock, state, writer, put } = setUp();
    await writer.writeBy(put);

    await clock.advance(2_000);
    writer.changed();
    await clock.advance(2_000);

    expect(state.written).toEqual(['a']);
    expect(clock.pending).toBe(0);
  });

  it('is written again when a write has failed, in longer and longer pauses', async () => {
    const { clock, state, writer, put, change } = setUp();
    await writer.writeBy(put);
    await clock.advance(1_000);
    state.fails = true;
    change('b');

    await clock.advance(60_000);
    const tries = state.written.length;
    state.fails = false;
    await clock.advance(5_000);

    expect(tries).toBeLessThan(16);
    expect(state.written.slice(-1)).toEqual(['b']);
    await clock.advance(60_000);
    expect(state.written.length).toBe(tries + 1);
  });

  it('waits for one write at a time, were it for ever', async () => {
    const { clock, state, writer, put, change } = setUp();
    await writer.writeBy(put);
    await clock.advance(1_000);
    state.hangs = true;

    for (let step = 0; step < 10; step++) {
      change(`b${step}`);
      await clock.advance(1_000);
    }

    expect(state.written).toEqual(['a', 'b0']);
  });

  it('is written anew when it was lost, and not at all while there is nowhere to write to', async () => {
    const { clock, state, writer, put, change } = setUp();
    await writer.writeBy(put);
    await clock.advance(1_000);

    writer.lost();
    await clock.advance(1_000);
    writer.pause();
    change('b');
    await clock.advance(5_000);
    await writer.writeBy(put);

    expect(state.written).toEqual(['a', 'a', 'b']);
  });
});
