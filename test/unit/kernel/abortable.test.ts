import { afterEach, describe, expect, it, vi } from 'vitest';
import { Abortable } from '../../../lib/kernel/abortable.js';
import { Lifecycle } from '../../../lib/kernel/policy.js';
import { countControllers } from '../../support/count-controllers.js';

class Piece extends Abortable {
  readonly className = 'Client';
  readonly methodName = 'load';

  constructor(protected readonly lifecycle = new Lifecycle()) {
    super();
  }

  expire(): void {
    this.abort('over');
  }
}

afterEach(() => vi.unstubAllGlobals());

describe('Abortable', () => {
  describe('its signal', () => {
    it('is made when it is asked for, once', () => {
      const made = countControllers();
      const piece = new Piece();
      piece.onAbort(() => undefined);
      piece.work();
      new Piece().abort('gone');
      expect(made()).toBe(0);

      const { signal } = piece;

      expect(signal).toBeInstanceOf(AbortSignal);
      expect(piece.signal).toBe(signal);
      expect(made()).toBe(1);
    });

    it('is the same at each reading, and aborts with the reason', () => {
      const piece = new Piece();
      const { signal } = piece;

      piece.abort('gone');

      expect(piece.signal).toBe(signal);
      expect([signal.aborted, signal.reason]).toEqual([true, 'gone']);
    });

    it('is aborted from the start, when it is asked for too late', () => {
      const piece = new Piece();
      piece.abort('gone');

      expect(piece.signal.aborted).toBe(true);
      expect(piece.signal.reason).toBe('gone');
    });
  });

  describe('abort', () => {
    it('counts once, with the first reason', () => {
      const piece = new Piece();
      const reasons: unknown[] = [];
      piece.onAbort((reason) => reasons.push(reason));

      piece.abort('first');
      piece.abort('second');

      expect([piece.aborted, piece.reason, reasons]).toEqual([true, 'first', ['first']]);
    });

    it('takes any reason, undefined too', () => {
      const piece = new Piece();

      piece.abort(undefined);

      expect(piece.aborted).toBe(true);
    });

    it('tells every listener, in order', () => {
      const piece = new Piece();
      const told: string[] = [];
      for (const name of ['a', 'b', 'c']) piece.onAbort((reason) => told.push(`${name} ${String(reason)}`));

      piece.abort('gone');

      expect(told).toEqual(['a gone', 'b gone', 'c gone']);
    });

    it('tells a listener at once that comes too late', () => {
      const piece = new Piece();
      piece.abort('gone');
      const told: unknown[] = [];

      piece.onAbort((reason) => told.push(reason));

      expect(told).toEqual(['gone']);
    });

    it('tells nobody who has left, wherever he stood', () => {
      const piece = new Piece();
      const told: string[] = [];
      const listeners = ['a', 'b', 'c', 'd'].map((name) => () => void told.push(name));
      for (const listener of listeners) piece.onAbort(listener);

      piece.offAbort(listeners[0] as () => void);
      piece.offAbort(listeners[2] as () => void);
      piece.offAbort(() => {});
      piece.onAbort(() => told.push('e'));
      piece.abort('gone');

      expect(told.sort()).toEqual(['b', 'd', 'e']);
    });
  });

  describe('the end of a shutdown', () => {
    const shutDown = expect.objectContaining({ code: 'SHUTDOWN', policy: 'shutdown', instanceName: 'Client.load' });

    it.each([
      ['before its work began', (piece: Piece) => [piece.signal, piece.work()]],
      ['while its work goes on', (piece: Piece) => [piece.work(), piece.signal]],
    ])('cuts what somebody holds the signal of, asked for %s', (_, begin) => {
      const lifecycle = new Lifecycle();
      const piece = new Piece(lifecycle);
      begin(piece);

      lifecycle.dispose();

      expect(piece.signal.reason).toEqual(shutDown);
    });

    it('leaves alone what nobody could tell of: without a signal, or no longer at work', () => {
      const lifecycle = new Lifecycle();
      const [unheard, over] = [new Piece(lifecycle), new Piece(lifecycle)];
      unheard.work();
      expect(over.signal.aborted).toBe(false);
      over.work();
      over.rest();

      lifecycle.dispose();

      expect([unheard.aborted, over.aborted]).toEqual([false, false]);
    });
  });
});
