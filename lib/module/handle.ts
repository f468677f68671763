import { inspect, type InspectOptions } from 'node:util';

/** What a handle shows of itself: what people can read of it, and nothing of how it is made. */
export abstract class Handle {
  /** Its public figures, as plain data. */
  abstract toJSON(): object;

  /** @internal */
  [inspect.custom](depth: number, options: InspectOptions): string {
    const name = this.constructor.name;
    return depth < 0 ? `[${name}]` : `${name} ${inspect(this.toJSON(), { ...options, depth })}`;
  }
}
