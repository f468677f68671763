import type { ExecutionContext } from '@nestjs/common';
import { propertyOf } from '../errors/foreign.js';
import type { Attempt } from '../kernel/attempt.js';
import type { CallInfo } from '../kernel/call-info.js';
import { headersOf, type MessageHeaders } from '../module/incoming/message-headers.js';

/**
 * The call that a fault may meet.
 *
 * @publicApi
 */
export class FaultCall implements CallInfo {
  readonly #attempt: Attempt;

  /** @internal */
  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  get className(): string {
    return this.#attempt.className;
  }

  get methodName(): string {
    return this.#attempt.methodName;
  }

  get args(): readonly unknown[] {
    return this.#attempt.args;
  }

  get instance(): unknown {
    return this.#attempt.instance;
  }

  get attempt(): number {
    return this.#attempt.attempt;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** The ExecutionContext of the request, as far as it is known; see {@link header}. */
  get context(): ExecutionContext | undefined {
    for (let one: Attempt | undefined = this.#attempt; one !== undefined; one = one.around)
      if (one.context !== undefined) return one.context as ExecutionContext;
    return undefined;
  }

  /**
   * A header of the request or message for which the call is made; undefined: there is none of that name. An interceptor of
   * ours knows its request. Deeper calls know it with `forRoot({ callContext: true })` and something that stands around the
   * handler: an interceptor of ours, `deadlines` or `abortOnDisconnect`.
   *
   * @param name whatever its case.
   */
  header(name: string): string | undefined {
    const { context } = this;
    if (context === undefined) return undefined;
    const value = headersIn(context)(name.toLowerCase());
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return typeof first === 'string' || Buffer.isBuffer(first) ? String(first) : undefined;
  }
}

function headersIn(context: ExecutionContext): MessageHeaders {
  switch (context.getType<string>()) {
    case 'http':
      return (name) => propertyOf(propertyOf(context.switchToHttp().getRequest(), 'headers'), name);
    case 'graphql': {
      const ofOperation: unknown = context.getArgByIndex(2);
      const request = propertyOf(ofOperation, 'req') ?? propertyOf(propertyOf(ofOperation, 'reply'), 'request');
      return (name) => propertyOf(propertyOf(request, 'headers'), name);
    }
    case 'ws': {
      const client: unknown = context.switchToWs().getClient();
      return (name) => propertyOf(propertyOf(propertyOf(client, 'handshake'), 'headers'), name);
    }
    default: {
      const call = [2, 0]
        .map((index) => context.getArgByIndex<unknown>(index))
        .find((one) => propertyOf(one, 'metadata'));
      return headersOf(propertyOf(call, 'metadata') ?? context.switchToRpc().getContext());
    }
  }
}
