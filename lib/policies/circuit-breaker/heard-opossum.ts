import { EVENTS, Opossum } from './opossum.js';

type Listener = (...args: never[]) => void;
type AnyListener = (...args: unknown[]) => unknown;

/** opossum's breaker, which knows whether anybody listens to it. */
export abstract class HeardOpossum extends Opossum {
  /**
   * Somebody has begun to listen, or ceased to. opossum's own constructor listens before there is a breaker.
   *
   * @internal
   */
  protected abstract onListeners(listened: boolean): void;

  override on(event: string | symbol, listener: Listener): this {
    return this.noted(super.on(event, listener as AnyListener));
  }

  override addListener(event: string | symbol, listener: Listener): this {
    return this.noted(super.addListener(event, listener as AnyListener));
  }

  override prependListener(event: string | symbol, listener: Listener): this {
    return this.noted(super.prependListener(event, listener as AnyListener));
  }

  override off(event: string | symbol, listener: Listener): this {
    return this.removeListener(event, listener);
  }

  override removeListener(event: string | symbol, listener: Listener): this {
    return this.noted(super.removeListener(event, listener as AnyListener));
  }

  override removeAllListeners(event?: string | symbol): this {
    return this.noted(event === undefined ? super.removeAllListeners() : super.removeAllListeners(event));
  }

  /** opossum's events, whether or not anybody listens: its tools subscribe to each. */
  override eventNames(): (string | symbol)[] {
    return [...new Set([...EVENTS, ...super.eventNames()])];
  }

  /** @internal */
  protected noted(self: this): this {
    this.onListeners(super.eventNames().length > 0);
    return self;
  }
}
