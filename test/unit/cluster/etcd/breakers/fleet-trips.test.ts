import { describe, expect, it } from 'vitest';
import { FleetTrips } from '../../../../../lib/cluster/etcd/breakers/fleet-trips.js';

describe('what other processes have told', () => {
  it('counts who calls a breaker, and who of them has opened it', () => {
    const fleet = new FleetTrips();

    fleet.put('a', { open: ['x', 'idle'], called: ['x', 'y'] });
    const touched = fleet.put('b', { open: [], called: ['x'] });

    expect(fleet.countOf('x')).toEqual({ callers: 2, voters: 1 });
    expect(fleet.countOf('y')).toEqual({ callers: 1, voters: 0 });
    expect(fleet.countOf('idle')).toEqual({ callers: 0, voters: 0 });
    expect([...touched]).toEqual(['x']);
  });

  it('counts each process by what it has told last, and none that is gone', () => {
    const fleet = new FleetTrips();
    fleet.put('a', { open: ['x'], called: ['x'] });
    fleet.put('b', { open: ['x'], called: ['x'] });

    const touched = fleet.put('a', { open: [], called: ['x', 'z'] });
    const gone = fleet.delete('b');

    expect([...touched].sort()).toEqual(['x', 'z']);
    expect([...gone]).toEqual(['x']);
    expect(fleet.countOf('x')).toEqual({ callers: 1, voters: 0 });
  });

  it('gives each of those that call a breaker a turn of its own', () => {
    const fleet = new FleetTrips();
    for (const process of ['c', 'a', 'd']) fleet.put(process, { open: [], called: ['x'] });
    fleet.put('b2', { open: ['x'], called: [] });

    expect(['a', 'b', 'c', 'd'].map((process) => fleet.turnOf(process, 'x'))).toEqual([
      { index: 0, of: 3 },
      { index: 1, of: 4 },
      { index: 1, of: 3 },
      { index: 2, of: 3 },
    ]);
  });
});
