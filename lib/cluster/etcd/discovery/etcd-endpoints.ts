import { isPlainObject } from '../../../kernel/options/check.js';
import type { EtcdClient } from '../client/etcd-client.js';
import { KeyWatch } from '../client/key-watch.js';
import type { EndpointSource } from './endpoint-source.js';

/** The addresses of the processes that are registered for a service now. While etcd is away, those known last. */
export class EtcdEndpoints implements EndpointSource {
  readonly #watch: KeyWatch;
  readonly #byKey = new Map<string, string>();
  #addresses: readonly string[] = [];
  #answered!: () => void;
  readonly #answer = new Promise<void>((resolve) => (this.#answered = resolve));

  /** @param prefix that of the service: `<prefix>endpoints/<service>/`. */
  constructor(
    private readonly client: EtcdClient,
    prefix: string,
  ) {
    this.#watch = new KeyWatch(client, prefix, {
      put: ({ key, value }) => this.#set(key, addressIn(value)),
      deleted: (key) => this.#set(key, undefined),
      synced: () => this.#answered(),
    });
  }

  /** Begins to follow them: not before the app starts, or somebody wants them, so that one that does not start is left free. */
  start(): void {
    this.#watch.start();
  }

  addresses(): readonly string[] {
    return this.#addresses;
  }

  async ready(): Promise<void> {
    this.start();
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.client.timeout)));
    await Promise.race([this.#answer, tooLong]);
    clearTimeout(timer);
  }

  close(): void {
    this.#answered();
    void this.#watch.close();
  }

  #set(key: string, address: string | undefined): void {
    if (address === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, address);
    this.#addresses = [...new Set(this.#byKey.values())].sort();
  }
}

/** What a registration says, in {@link addressIn}'s form. */
export function registrationOf(address: string): string {
  return JSON.stringify({ address });
}

/** Fields of a later version are let pass; what is no registration is none. */
function addressIn(value: string): string | undefined {
  try {
    const registration: unknown = JSON.parse(value);
    if (isPlainObject(registration) && typeof registration.address === 'string') return registration.address;
  } catch {
    // Somebody else's.
  }
  return undefined;
}
