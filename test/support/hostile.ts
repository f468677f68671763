/** Values that throw when somebody looks at them. */

/** As envalid makes them: a property that is not known is an error. */
export function strict(): object {
  return new Proxy(
    {},
    {
      get(_, key) {
        if (key === 'then') return undefined;
        throw new ReferenceError(`unknown key ${String(key)}`);
      },
    },
  );
}

/** A proxy with which nothing can be done at all. */
export function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Counts what would end a process. */
export class ProcessFaults {
  readonly seen: unknown[] = [];
  readonly #onFault = (error: unknown): void => void this.seen.push(error);

  watch(): void {
    process.on('unhandledRejection', this.#onFault);
    process.on('uncaughtException', this.#onFault);
  }

  /** Lets what is due be told, and gives it. */
  async take(): Promise<unknown[]> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.seen.splice(0);
  }

  ignore(): void {
    process.off('unhandledRejection', this.#onFault);
    process.off('uncaughtException', this.#onFault);
  }
}
