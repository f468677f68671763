import { describe, expect, it } from 'vitest';
import { LoopTurns } from '../../../../lib/policies/system-protection/loop-turns.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

/** Turns that are too long from 20 ms on. */
function setUp() {
  const clock = new VirtualClock();
  const turns = new LoopTurns(clock, 20);
  /** One turn with requests, which takes so long. */
  const turn = (ms: number): void => {
    turns.age(clock.now());
    clock.block(ms);
    clock.turn();
  };
  return { clock, turns, turn, age: () => turns.age(clock.now()), standing: () => turns.standing(clock.now()) };
}

describe('LoopTurns', () => {
  it('tells how long a turn has been busy since its first request', () => {
    const { clock, age } = setUp();

    expect(age()).toBe(0);
    clock.block(7);
    expect(age()).toBe(7);
    clock.block(5);
    expect(age()).toBe(12);
    clock.turn();
    clock.block(5);

    expect(age()).toBe(0);
  });

  it('takes turns that were too long for more than 100 ms for a standing state', () => {
    const { turn, standing } = setUp();
    expect(standing()).toBe(false);

    for (let count = 0; count < 5; count++) turn(20);
    expect(standing()).toBe(false);
    turn(20);

    expect(standing()).toBe(true);
  });

  it('reckons from the beginning of the first long turn', () => {
    const { clock, turn, standing } = setUp();
    turn(100);
    expect(standing()).toBe(false);
    clock.block(1);

    expect(standing()).toBe(true);
  });

  it('forgets it with the first short turn', () => {
    const { turn, standing } = setUp();
    for (let count = 0; count < 7; count++) turn(20);
    expect(standing()).toBe(true);

    turn(19);
    expect(standing()).toBe(false);
    turn(20);

    expect(standing()).toBe(false);
  });

  it('forgets it when the loop had time between two turns with requests', () => {
    const { clock, turn, standing, age } = setUp();
    for (let count = 0; count < 7; count++) turn(20);
    clock.block(20);
    age();
    expect(standing()).toBe(true);
    clock.block(20);
    clock.turn();
    clock.block(21);
    age();

    expect(standing()).toBe(false);
  });
});
