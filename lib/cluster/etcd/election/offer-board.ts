import { Inject, Optional } from '@nestjs/common';
import { hasProperty } from '../../../errors/foreign.js';
import type { AnyClass } from '../../../guarded/guarded-method.js';
import { ELECTION_BOARD, ELECTION_PROPERTY } from '../etcd.tokens.js';
import { ElectionBoard } from './election-board.js';

/** The leaderships that methods of a class, not of those that it extends, wait for. */
const names = new WeakMap<AnyClass, Set<string>>();
const boards = new WeakMap<object, ElectionBoard>();

/** Lets instances of a class stand for a leadership, and find out who leads. */
export function waitFor(prototype: object, type: AnyClass, leaderOf: string): void {
  let known = names.get(type);
  if (known === undefined) names.set(type, (known = new Set()));
  known.add(leaderOf);
  requestBoard(prototype);
}

/** The board of the app that an instance belongs to; undefined: nobody has handed it over. */
export function boardOf(instance: object): ElectionBoard | undefined {
  return boards.get(instance);
}

/** Hands the board to an instance that Nest has not made itself: a factory, or a value, was given. */
export function offerBoard(instance: object, board: ElectionBoard): void {
  const known = boards.get(instance);
  if ((known === undefined || known.closed) && hasProperty(instance, ELECTION_PROPERTY))
    Reflect.set(instance, ELECTION_PROPERTY, board);
}

/** Lets Nest hand the board to every instance of a class, which then stands for what its methods wait for. */
function requestBoard(prototype: object): void {
  if (Object.hasOwn(prototype, ELECTION_PROPERTY)) return;
  Object.defineProperty(prototype, ELECTION_PROPERTY, {
    configurable: true,
    get: () => undefined,
    set(this: object, value: unknown) {
      if (!ElectionBoard.is(value)) return;
      boards.set(this, value);
      for (let type: unknown = this.constructor; typeof type === 'function'; type = Object.getPrototypeOf(type))
        for (const name of names.get(type as AnyClass) ?? []) value.stand(name);
    },
  });
  Inject(ELECTION_BOARD)(prototype, ELECTION_PROPERTY);
  Optional()(prototype, ELECTION_PROPERTY as unknown as string, undefined as unknown as number);
}
