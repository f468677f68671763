import { setTimeout as delay } from 'node:timers/promises';
import { LeasedKey } from '../client/leased-key.js';
import type { EtcdPart, EtcdSurroundings } from '../etcd-part.js';
import { DRAIN_MS, type ResilienceEtcdOptions } from '../etcd.options.js';
import { registrationOf } from './etcd-endpoints.js';

/** Lets the other processes find this one for as long as it lives. */
export class Registration implements EtcdPart {
  readonly #key: LeasedKey;
  #left = false;

  constructor(
    { client, options: { prefix, ttl }, processName }: EtcdSurroundings,
    private readonly discovery: NonNullable<ResilienceEtcdOptions['discovery']>,
  ) {
    this.#key = new LeasedKey(client, `${prefix}endpoints/${discovery.service}/${processName}`, ttl);
  }

  /** Not waited for: it is put as soon as etcd answers. */
  start(): void {
    this.#key.set(registrationOf(this.discovery.address));
  }

  async leave(): Promise<void> {
    this.#left = true;
    await this.#key.close();
    await delay(this.discovery.drain ?? DRAIN_MS);
  }

  async close(): Promise<void> {
    if (!this.#left) await this.#key.close();
  }
}
