import { describe, expect, it } from 'vitest';
import { OperationGate } from '../../../../lib/data/port/operation-gate.js';
import { explained } from '../../../support/explained.js';

describe('OperationGate', () => {
  it('closes once what runs has ended, also where the caller no longer waits', async () => {
    const gate = new OperationGate('It');
    const controller = new AbortController();
    const steps: string[] = [];
    let finish = (): void => undefined;
    const running = gate.run(controller.signal, () => new Promise<void>((resolve) => (finish = resolve)));
    controller.abort('gone');
    await expect(running).rejects.toBe('gone');
    const closed = gate.close(async () => void steps.push('released'));
    await new Promise((resolve) => setImmediate(resolve));
    steps.push('finished');
    finish();
    await closed;

    expect(steps).toEqual(['finished', 'released']);
    await expect(gate.run(undefined, async () => 1)).rejects.toThrow(
      explained('It is closed; expected no call after close()'),
    );
  });

  it('closes after an operation that failed', async () => {
    const gate = new OperationGate('It');
    const failing = gate.run(undefined, async () => Promise.reject(new Error('no')));
    const closed = gate.close(async () => undefined);

    await expect(failing).rejects.toThrow(explained('no'));
    await expect(closed).resolves.toBeUndefined();
  });

  it('releases once, and gives every caller of close the same outcome', async () => {
    const gate = new OperationGate('It');
    let released = 0;
    const release = async (): Promise<void> => {
      released += 1;
      throw new Error('stuck');
    };

    expect(await Promise.allSettled([gate.close(release), gate.close(release)])).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    expect(released).toBe(1);
  });
});
