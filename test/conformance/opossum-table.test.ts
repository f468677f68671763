import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Breaker } from 'nestjs-bulwark';
import OpossumBreaker from 'opossum';
import { describe, expect, it } from 'vitest';

// docs/ways-over/from-opossum.md says of all that opossum has what becomes of it. opossum's own code is asked what that is.

const page = readFileSync(new URL('../../docs/ways-over/from-opossum.md', import.meta.url), 'utf8');
const source = readFileSync(join(dirname(createRequire(import.meta.url).resolve('opossum')), 'lib/circuit.js'), 'utf8');

type Verdict = 'same' | 'differs' | 'absent';

/** A table of the page: what becomes of each name in its first column. */
function table(heading: string): Map<string, Verdict> {
  const start = page.indexOf(heading);
  if (start < 0) throw new Error(`docs/ways-over/from-opossum.md has no ${heading}`);
  const [text = ''] = page.slice(start + heading.length).split(/\n(?=#)/);
  const [, rows = ''] = /((?:^\|.*\n?)+)/m.exec(text) ?? [];
  const cells = [...rows.matchAll(/^\| `(\w+)`[^|]* *\| (same|differs|absent) +\|/gm)];
  return new Map(cells.map(([, name, verdict]) => [name as string, verdict as Verdict]));
}

const names = (heading: string): string[] => [...table(heading).keys()].sort();
const sorted = (all: Iterable<string>): string[] => [...new Set(all)].sort();
const matches = (pattern: RegExp): string[] => [...source.matchAll(pattern)].map(([, name]) => name as string);

/** A breaker of opossum as it comes, with nothing left running. */
function plain(): OpossumBreaker {
  const breaker = new OpossumBreaker(() => Promise.resolve(), { enableSnapshots: false });
  breaker.shutdown();
  return breaker;
}

const OPTIONS = '### Options';
const EVENTS = '### Events';
const MEMBERS = '### Members of a breaker';
const STATICS = '| static ';
const STATUS = '### Members of `status`';
const STATS = '### Fields of `stats`';
const STATE = '### Fields of `toJSON().state`';

/** Values that opossum takes for its options. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  resetTimeout: 5,
  timeout: 5,
  errorThresholdPercentage: 5,
  volumeThreshold: 5,
  rollingCountTimeout: 50,
  rollingCountBuckets: 5,
  rollingPercentilesEnabled: true,
  allowWarmUp: true,
  errorFilter: () => true,
  enabled: true,
  group: 'money',
};

describe('the options of opossum', () => {
  it('are all in the table, and no other', () => {
    // The first is made by the constructor for itself, the second is an option of newStatus().
    const others = ['coalesceCache', 'stats'];
    const read = matches(/(?<![.\w])(?:this\.|circuit\.)?options\.(\w+)/g).filter((name) => !others.includes(name));

    expect(read).toEqual(expect.arrayContaining(['timeout', 'capacity', 'coalesceSize', 'state']));
    expect(names(OPTIONS)).toEqual(sorted(read));
  });

  it('are taken, unless the table says that they are absent; then the error says what is there instead', () => {
    for (const [option, verdict] of table(OPTIONS)) {
      const make = (): Breaker => new Breaker('payments', { [option]: SAMPLES[option] ?? 5 });
      if (verdict === 'absent')
        expect(make, option).toThrow(new RegExp(`unknown option '${option}' \\(got 5\\): [@\\w]`));
      else expect(make, option).not.toThrow();
    }
  });
});

describe('the events of opossum', () => {
  it('are all in the table, and no other', () => {
    const emitted = matches(/\.emit\('(\w+)'/g);
    const documented = matches(/@event CircuitBreaker#(\w+)/g);

    expect(names(EVENTS)).toEqual(sorted([...emitted, ...documented]));
  });

  it('are those that a breaker names, unless the table says that they are absent', () => {
    const here = [...table(EVENTS)].filter(([, verdict]) => verdict !== 'absent').map(([event]) => event);

    expect(sorted(new Breaker('payments').eventNames() as string[])).toEqual(sorted(here));
  });
});

describe('the members of opossum', () => {
  it('are all in the table, and no other', () => {
    const own = Object.keys(plain()).filter((name) => !name.startsWith('_') && name !== 'domain');
    const inherited = Object.getOwnPropertyNames(OpossumBreaker.prototype).filter((name) => name !== 'constructor');

    expect(own).toEqual(expect.arrayContaining(['options', 'action']));
    expect(names(MEMBERS)).toEqual(sorted([...own, ...inherited]));
  });

  it('are there, those that do nothing as well', () => {
    const breaker = new Breaker('payments');

    for (const member of names(MEMBERS)) expect(member in breaker, member).toBe(true);
    expect(breaker.semaphore).toBeUndefined();
    expect(() => breaker.action()).toThrow(/fire\(action/);
  });

  it('are the same for statics', () => {
    const own = Object.getOwnPropertyNames(OpossumBreaker).filter(
      (name) => typeof (OpossumBreaker as unknown as Record<string, unknown>)[name] === 'function',
    );

    expect(names(STATICS)).toEqual(sorted(own.filter((name) => name !== 'default')));
    expect(() => Breaker.newStatus()).toThrow(TypeError);
  });

  it('are the same for its status', () => {
    const { status } = plain();
    const own = Object.keys(status).filter((name) => !name.startsWith('_') && name !== 'domain');
    const inherited = Object.getOwnPropertyNames(Object.getPrototypeOf(status)).filter(
      (name) => name !== 'constructor',
    );

    expect(names(STATUS)).toEqual(sorted([...own, ...inherited, 'snapshot']));
    const ours = new Breaker('payments').status;
    for (const [member, verdict] of table(STATUS))
      if (member !== 'snapshot') expect(member in ours, member).toBe(verdict !== 'absent');
  });
});

it('has each field of stats and of toJSON().state in a table, and no other', () => {
  const { state, status } = plain().toJSON();

  expect(names(STATS)).toEqual(sorted(Object.keys(status)));
  expect(names(STATE)).toEqual(sorted(Object.keys(state)));
  const ours = new Breaker('payments').toJSON();
  expect(sorted(Object.keys(ours.status))).toEqual(names(STATS));
  expect(sorted(Object.keys(ours.state))).toEqual(names(STATE));
});
