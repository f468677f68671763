import type { ProbeTurn } from '../../../policies/circuit-breaker/advice.js';
import type { TripReport } from './trip-report.js';

/** How many processes speak of a breaker. */
export interface TripCount {
  /** Those that have called it in its last window. */
  callers: number;
  /** Those of them whose own calls have opened it. */
  voters: number;
}

const NOTHING: TripReport = { open: [], called: [] };
const NOBODY: Readonly<TripCount> = { callers: 0, voters: 0 };

/** What the other processes have told of their breakers. */
export class FleetTrips {
  readonly #reports = new Map<string, TripReport>();
  readonly #counts = new Map<string, TripCount>();

  /** @returns the breakers of which a process tells something else than before. */
  put(process: string, report: TripReport): Set<string> {
    const before = this.#reports.get(process) ?? NOTHING;
    this.#reports.set(process, report);
    this.#count(before, -1);
    this.#count(report, 1);
    return new Set([...before.open, ...before.called, ...report.open, ...report.called]);
  }

  /** The process is gone. @returns the breakers of which it had told. */
  delete(process: string): Set<string> {
    const told = this.put(process, NOTHING);
    this.#reports.delete(process);
    return told;
  }

  /** What a process has told last. */
  reportOf(process: string): TripReport {
    return this.#reports.get(process) ?? NOTHING;
  }

  countOf(name: string): Readonly<TripCount> {
    return this.#counts.get(name) ?? NOBODY;
  }

  /** Which of those that call a breaker a process is, by the order of their names; it calls it too, or would not ask. */
  turnOf(process: string, name: string): ProbeTurn {
    const others = [...this.#reports].filter(([other, { called }]) => other !== process && called.includes(name));
    return { index: others.filter(([other]) => other < process).length, of: others.length + 1 };
  }

  #count({ open, called }: TripReport, by: 1 | -1): void {
    const opened = new Set(open);
    for (const name of called) {
      const count = this.#counts.get(name) ?? { callers: 0, voters: 0 };
      count.callers += by;
      if (opened.has(name)) count.voters += by;
      if (count.callers === 0) this.#counts.delete(name);
      else this.#counts.set(name, count);
    }
  }
}
