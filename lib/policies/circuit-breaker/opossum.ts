import { EventEmitter } from 'node:events';
import opossum from 'opossum';

/**
 * opossum's breaker as this folder needs it: the published types lack some members and declare accessors as
 * properties, which a subclass cannot override.
 */
export interface OpossumBreaker extends EventEmitter {
  readonly name: string;
  readonly group: string;
  options: object;
  semaphore: unknown;
  action: (...args: never[]) => unknown;
  healthCheck(check: () => unknown, interval?: number): void;
}

export interface OpossumOptions {
  name: string;
  group?: string | undefined;
  timeout: false;
  status: unknown;
}

interface OpossumConstructor {
  new (action: (...args: never[]) => unknown, options: OpossumOptions): OpossumBreaker;
  newStatus(options: object): EventEmitter;
}

export const Opossum = opossum as unknown as OpossumConstructor;

/**
 * A status for the constructor alone: with a controller of its own and without snapshots it starts no interval. One
 * serves every breaker, since none counts in it.
 */
export const idleStatus = Opossum.newStatus({ rotateBucketController: new EventEmitter(), enableSnapshots: false });
