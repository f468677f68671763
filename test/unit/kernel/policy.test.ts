import { describe, expect, it } from 'vitest';
import { Lifecycle } from '../../../lib/kernel/policy.js';

describe('Lifecycle', () => {
  it('ends every wait at shutdown, once', () => {
    const lifecycle = new Lifecycle();
    const ended: string[] = [];
    for (const name of ['a', 'b']) lifecycle.add({ end: () => ended.push(name) });

    expect(lifecycle.closing).toBe(false);
    lifecycle.close();
    lifecycle.close();

    expect(lifecycle.closing).toBe(true);
    expect(ended).toEqual(['a', 'b']);
  });

  it('does not end what has left', () => {
    const lifecycle = new Lifecycle();
    const ended: string[] = [];
    const waiter = { end: () => ended.push('a') };

    lifecycle.add(waiter);
    lifecycle.remove(waiter);
    lifecycle.close();

    expect(ended).toEqual([]);
  });

  it('lets waiters leave, while they are ended', () => {
    const lifecycle = new Lifecycle();
    const ended: string[] = [];
    const second = { end: () => ended.push('b') };
    const first = {
      end: () => {
        ended.push('a');
        lifecycle.remove(first);
      },
    };
    lifecycle.add(first);
    lifecycle.add(second);

    lifecycle.close();

    expect(ended).toEqual(['a', 'b']);
  });

  it('disposes of what idles after the app has shut down, once', () => {
    const lifecycle = new Lifecycle();
    const steps: string[] = [];
    lifecycle.onDispose(() => steps.push('disposed'));
    lifecycle.add({ end: () => steps.push('ended') });

    lifecycle.close();
    expect(steps).toEqual(['ended']);
    lifecycle.dispose();
    lifecycle.dispose();

    expect(steps).toEqual(['ended', 'disposed']);
  });
});
