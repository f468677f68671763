import { describe, expect, it, vi } from 'vitest';
import { Channel } from '../../../lib/pipeline/channel.js';
import { settle, track } from '../../support/settle.js';

describe('Channel', () => {
  it('gives items to those who ask, in order', async () => {
    const channel = new Channel();
    expect(channel.wanted).toBe(false);
    const asked = [channel.ask(), channel.ask()];
    expect(channel.wanted).toBe(true);

    channel.deliver('a');
    expect(channel.wanted).toBe(true);
    channel.deliver('b');

    expect(channel.wanted).toBe(false);
    expect(await Promise.all(asked)).toEqual([
      { done: false, value: 'a' },
      { done: false, value: 'b' },
    ]);
  });

  it('drops an item that nobody asks for any more', () => {
    expect(() => new Channel().deliver('a')).not.toThrow();
  });

  it('lets its source wait until somebody asks', async () => {
    const channel = new Channel();
    const demand = track(channel.demanded());
    await settle();
    expect(demand.status).toBe('pending');

    void channel.ask();
    await settle();

    expect(demand.outcome).toBe(true);
    expect(await channel.demanded()).toBe(true);
  });

  it('wakes its source once for each wait', async () => {
    const channel = new Channel();
    const first = track(channel.demanded());
    void channel.ask();
    await settle();
    channel.deliver('a');

    const second = track(channel.demanded());
    await settle();
    expect([first.outcome, second.status]).toEqual([true, 'pending']);
    void channel.ask();
    await settle();

    expect(second.outcome).toBe(true);
  });

  it('ends the wait of its source, and tells it so also later, until another begins', async () => {
    const channel = new Channel();
    const waiting = track(channel.demanded());
    channel.cancel();
    await settle();
    expect(waiting.outcome).toBe(false);

    void channel.ask();
    expect(await channel.demanded()).toBe(false);
    const source = {};
    channel.open(source);

    expect(channel.source).toBe(source);
    expect(await channel.demanded()).toBe(true);
  });

  it('says to all who ask that there is no more', async () => {
    const channel = new Channel();
    const asked = [channel.ask(), channel.ask()];

    channel.end();

    expect(await Promise.all(asked)).toEqual(new Array(2).fill({ done: true, value: undefined }));
    expect(channel.wanted).toBe(false);
  });

  it('gives an error to the first who asks, and nothing to the others', async () => {
    const channel = new Channel();
    const asked = [track(channel.ask()), track(channel.ask())];

    channel.fail('no');
    await settle();

    expect(asked).toEqual([
      { status: 'rejected', outcome: 'no' },
      { status: 'fulfilled', outcome: { done: true, value: undefined } },
    ]);
    expect(channel.takeFailure()).toBeUndefined();
  });

  it('keeps an error for which nobody has asked, and gives it once', () => {
    const channel = new Channel();

    channel.fail(undefined);

    expect(channel.takeFailure()).toEqual({ error: undefined });
    expect(channel.takeFailure()).toBeUndefined();
  });

  it('tells that nobody will ask any more, at once or when all that was asked for is given', async () => {
    const idle = new Channel();
    const then = vi.fn();
    idle.abandon(then);
    expect(then).toHaveBeenCalledTimes(1);

    const channel = new Channel();
    const served = vi.fn();
    void channel.ask();
    channel.abandon(served);
    void channel.demanded();
    expect(served).not.toHaveBeenCalled();
    channel.deliver('a');
    void channel.demanded();

    expect(served).toHaveBeenCalledTimes(1);
  });
});
