/** Where the addresses of a service come from. */
export interface EndpointSource {
  /** Those that are known now, without repeats. */
  addresses(): readonly string[];
  /** Resolves when the first are known, or will not be soon. */
  ready(): Promise<void>;
  close(): void;
}

/** Addresses that never change. */
export class FixedEndpoints implements EndpointSource {
  readonly #addresses: readonly string[];

  constructor(addresses: readonly string[]) {
    this.#addresses = [...new Set(addresses)];
  }

  addresses(): readonly string[] {
    return this.#addresses;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    // Nothing is open.
  }
}
