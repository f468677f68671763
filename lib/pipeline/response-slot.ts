import { propertyOf } from '../errors/foreign.js';
import type { Origin } from '../kernel/origin.js';

/** Where Nest hands its response to a handler whose method has not asked for one. */
export interface ResponseSlot {
  /** Behind all that the method declares. */
  readonly at: number;
  /** How many arguments Nest makes for the method itself. */
  readonly count: number;
}

/** Takes the response out of the arguments of a handler; undefined: Nest has handed none, or has not called it. */
export function takeResponse(
  { response: slot, onStale }: { readonly response?: ResponseSlot | undefined; readonly onStale?: Origin['onStale'] },
  args: readonly unknown[],
): { readonly args: readonly unknown[]; readonly origin: Origin } | undefined {
  const response = slot === undefined ? undefined : args[slot.at];
  if (slot === undefined || typeof propertyOf(response, 'getHeader') !== 'function') return undefined;
  return { args: args.slice(0, slot.count), origin: { response, onStale } };
}
