import { setMaxListeners } from 'node:events';
import { DataClosedException } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import type { DataServiceSubject, Scene } from './data-service.scene.js';

/** Signals, close, and what a later service finds. */
export function lifecycleContract(scene: Scene, subject: DataServiceSubject): void {
  describe('signal', () => {
    it('ends every operation before it starts, with its reason', async () => {
      const reason = new Error('gone');
      const signal = AbortSignal.abort(reason);
      await scene.data.put('a', 1);

      await expect(scene.data.get('a', { signal })).rejects.toBe(reason);
      await expect(scene.data.entry('a', { signal })).rejects.toBe(reason);
      await expect(scene.data.put('a', 2, { signal })).rejects.toBe(reason);
      await expect(scene.data.delete('a', { signal })).rejects.toBe(reason);
      await expect(scene.data.ping({ signal })).rejects.toBe(reason);
      await expect(scene.keys({ signal })).rejects.toBe(reason);
      expect(await scene.data.get('a')).toBe(1);
    });

    it('ends a waiting put at once, and the service goes on', async () => {
      const controller = new AbortController();
      const reason = new Error('gone');
      const written = scene.data.put('a', 1, { signal: controller.signal });
      controller.abort(reason);

      await expect(written).rejects.toBe(reason);
      await scene.data.put('b', 1);
      expect(await scene.data.get('b')).toBe(1);
    });

    it('ends those that wait for others, each at once, and none of the others', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      setMaxListeners(0, signal);
      const others = Array.from({ length: 100 }, (_, i) => scene.data.put(`k${i}`, i));
      const waiting = [
        ...Array.from({ length: 50 }, (_, i) => scene.data.put(`k${i}`, 'never', { signal })),
        scene.data.get('k1', { signal }),
        scene.data.delete('k2', { signal }),
        scene.data.ping({ signal }),
      ];
      controller.abort('gone');
      const outcomes = await Promise.allSettled(waiting);
      await Promise.all(others);

      expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === 'gone')).toBe(true);
      await scene.data.put('after', 1);
      expect(await scene.data.get('k99')).toBe(99);
      expect(await scene.data.get('after')).toBe(1);
    });

    it('ends entries between two of them', async () => {
      const controller = new AbortController();
      await scene.data.put('a', 1);
      await scene.data.put('b', 1);
      const reading = async (): Promise<void> => {
        for await (const _ of scene.data.entries({ signal: controller.signal })) controller.abort('enough');
      };

      await expect(reading()).rejects.toBe('enough');
    });

    it('keeps no listener of ours', async () => {
      const { signal } = new AbortController();
      let listeners = 0;
      signal.addEventListener = new Proxy(signal.addEventListener, {
        apply: (add, self, args) => void ((listeners += 1), Reflect.apply(add, self, args)),
      });
      signal.removeEventListener = new Proxy(signal.removeEventListener, {
        apply: (remove, self, args) => void ((listeners -= 1), Reflect.apply(remove, self, args)),
      });
      await scene.data.put('a', 1, { signal });
      await scene.data.get('a', { signal });
      await scene.keys({ signal });
      await scene.data.ping({ signal });
      await new Promise((resolve) => setImmediate(resolve));

      expect(listeners).toBe(0);
    });
  });

  describe('close', () => {
    it('waits for what is under way, refuses what comes after, and may be called again', async () => {
      const written = scene.data.put('a', 1);
      const reading = scene.data.entries()[Symbol.asyncIterator]();
      const closed = scene.data.close();

      await expect(scene.data.put('b', 1)).rejects.toThrow(DataClosedException);
      await expect(Promise.all([written, closed, scene.data.close()])).resolves.toBeDefined();
      await expect(scene.data.get('a')).rejects.toThrow(DataClosedException);
      await expect(scene.data.delete('a')).rejects.toThrow(DataClosedException);
      await expect(scene.data.ping()).rejects.toThrow(DataClosedException);
      await expect(reading.next()).rejects.toThrow(DataClosedException);
    });

    it('ends entries that are being read', async () => {
      await scene.data.put('a', 1);
      await scene.data.put('b', 1);
      const reading = scene.data.entries()[Symbol.asyncIterator]();
      await reading.next();
      await scene.data.close();

      await expect(reading.next()).rejects.toThrow(DataClosedException);
    });
  });

  // What keeps nothing has no later service to ask.
  if (subject.reopen === undefined) return;

  describe('a later service', () => {
    async function reopen(): Promise<void> {
      await scene.data.close();
      scene.data = await subject.reopen!(scene.data);
    }

    it('finds what was put and not what was deleted', async () => {
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => scene.data.put(`k${i}`, { i, text: 'a\tb\nc"\\\u{1F600}' })),
      );
      await scene.data.put('k1', 'last');
      await scene.data.delete('k2');
      await reopen();

      expect((await scene.keys()).length).toBe(99);
      expect(await scene.data.get('k1')).toBe('last');
      expect(await scene.data.get('k2')).toBeUndefined();
      expect(await scene.data.get('k99')).toEqual({ i: 99, text: 'a\tb\nc"\\\u{1F600}' });
    });

    it('finds what a close has waited for', async () => {
      const written = Promise.all(Array.from({ length: 50 }, (_, i) => scene.data.put(`k${i}`, i)));
      await reopen();
      await written;

      expect((await scene.keys()).length).toBe(50);
    });

    it('keeps versions, and gives out none a second time', async () => {
      await scene.data.put('a', 1);
      await scene.data.put('b', 1);
      const [a, b] = [await scene.data.entry('a'), await scene.data.entry('b')];
      await scene.data.delete('b');
      await reopen();
      await scene.data.put('b', 2);

      expect(await scene.data.entry('a')).toEqual(a);
      expect((await scene.data.entry('b'))?.version).not.toBe(b?.version);
      await scene.data.put('a', 2, { ifVersion: a!.version });
    });
  });
}
