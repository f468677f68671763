import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ExecuteOptions, ResilienceService } from 'nestjs-bulwark';
import { asker } from './asker.js';
import { Caller } from './caller.js';
import { textOf } from './describe.js';
import type { Engine } from './engine.js';
import { EventsInOrder } from './events-in-order.js';
import { contextOf, guardedService, type GuardedService } from './guarded-service.js';
import { policiesOf } from './policy-set.js';
import { RunsOfWork } from './runs-of-work.js';
import type { Order, Script, Step } from './script.js';

type Snapshot = ReturnType<ReturnType<ResilienceService['circuitBreaker']>['snapshot']>;

/** One app with one guarded method, under one engine. */
export class World {
  readonly work: RunsOfWork;
  readonly #callers: Caller[] = [];
  readonly #events: EventsInOrder;
  readonly #notes: string[] = [];
  #app!: INestApplicationContext;
  #service!: GuardedService;
  #resilience!: ResilienceService;
  #breakers: ReturnType<ResilienceService['circuitBreakers']> = [];
  #bulkheads: ReturnType<ResilienceService['bulkheads']> = [];
  #snapshot: Snapshot | undefined;
  #closing: Promise<void> | undefined;
  closed = false;

  constructor(
    readonly engine: Engine,
    readonly script: Script,
    /** Whether the app has a call context. */
    readonly callContext: boolean,
  ) {
    this.work = new RunsOfWork(script.manners);
    // Attempts beside each other that end in one instant have no order either.
    const beside = script.manners.includes('nests') || script.stack.hedge !== undefined;
    this.#events = new EventsInOrder(beside);
  }

  async start(): Promise<void> {
    const { engine, script, work, callContext } = this;
    const { kind, stack } = script;
    const policies = policiesOf(stack, () => work.begin('a handler', undefined, 'promise'));
    const set = kind === 'iterable' ? { ...policies.set, returns: 'asyncIterable' as const } : policies.set;
    const Service = guardedService(engine.library, script, policies, work, callContext);
    class App {}
    Module({
      imports: [engine.library.ResilienceModule.forRoot({ policies: { main: set }, callContext })],
      providers: [Service],
    })(App);
    this.#app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    this.#resilience = this.#app.get<ResilienceService>(engine.library.ResilienceService);
    this.#service = this.#app.get<GuardedService>(Service);
    this.#find();
    this.#resilience.events$.subscribe((event) => this.#events.add(event));
  }

  act(step: Step): void {
    this.#act(step);
    // Asking for them costs as much as a step: only where there can be others than before.
    const keyed = step.does === 'call' && this.script.stack.circuitBreaker?.keyed === true;
    if (keyed || step.does === 'rules') this.#find();
  }

  /** A method that has turned out to be of another kind than its policies allow has no plan, and the app says so. */
  #find(): void {
    try {
      this.#breakers = this.#resilience.circuitBreakers();
      this.#bulkheads = this.#resilience.bulkheads();
    } catch (error) {
      this.#notes.push(`asking for breakers and bulkheads threw ${textOf(error)}`);
    }
  }

  #act(step: Step): void {
    switch (step.does) {
      case 'call':
        return this.#call(step);
      case 'settle':
      case 'block':
        return this.work.settle(step.run, step.end);
      case 'emit':
        return this.work.emit(step.run, step.end);
      case 'abort':
        return this.#caller(step.call)?.controller.abort();
      case 'leave':
        return this.#caller(step.call)?.leave();
      case 'pull':
        return this.#caller(step.call)?.pull();
      case 'rules':
        return this.#note('rules', () => this.#rule(step.set));
      case 'order':
        return this.#note(step.order, () => this.#order(step.order));
      case 'shut down':
        return this.shutDown();
      case 'pass':
        return;
    }
  }

  shutDown(): void {
    this.#find();
    this.#closing ??= this.#app.close().then(
      () => void (this.closed = true),
      (error: unknown) => void this.#notes.push(`close rejected with ${textOf(error)}`),
    );
  }

  /** Whether an attempt of it waits for a slot. */
  get queues(): boolean {
    return this.#bulkheads.some(({ waiting }) => waiting > 0);
  }

  /** What must not be there when all is over. */
  get left(): string[] {
    // Whether anybody asks for the rest of a stream is a matter of the script.
    const promises = this.script.kind === 'promise' && this.work.running.length === 0;
    const waiting = promises ? this.#callers.filter(({ over }) => !over).map((caller) => `call ${String(caller)}`) : [];
    const held = this.#bulkheads.filter((one) => promises && one.active + one.waiting > 0);
    const slots = held.map(({ name, active, waiting: queued }) => `bulkhead ${name}: ${active} run, ${queued} wait`);
    return [...(this.closed ? [] : ['not closed']), ...waiting, ...slots];
  }

  /** All that can be seen from outside; what was told is told once. */
  look(): string[] {
    const breakers = this.#breakers.map((one) => `breaker ${one.name}: ${one.state} ${textOf(one.stats)}`);
    // How many one holds that only watches follows from refusals that were none; see events-in-order.ts.
    const watched = this.script.stack.bulkhead?.['mode'] === 'metricsOnly';
    const bulkheads = this.#bulkheads.map(
      ({ name, limit, active, waiting }) => `bulkhead ${name}: ${watched ? '?' : active} of ${limit}, ${waiting} wait`,
    );
    const calls = this.#callers.map((caller, index) => `call ${index + 1} ${String(caller)}`);
    const closing = this.#closing === undefined ? [] : [this.closed ? 'closed' : 'closing'];
    const waiting = this.#callers.filter(({ over }) => !over).length;
    const told = [...this.#notes.splice(0), ...this.#events.take(waiting)];
    return [...told, ...calls, ...this.work.all.map(String), ...breakers, ...bulkheads, ...closing];
  }

  #call({ key, priority, by, signal }: Extract<Step, { does: 'call' }>): void {
    const { kind, signal: hasSignal, stack, eager } = this.script;
    // A set with a single flight is not for work that is a function of its own each time.
    const execute = by === 'execute' && kind === 'promise' && stack.coalesce === undefined;
    const caller = new Caller(`${execute ? 'execute' : 'call'}(${key}, ${priority})`, eager);
    this.#callers.push(caller);
    this.#events.waiting++;
    const given = signal ? caller.controller.signal : undefined;
    const make = (): unknown => {
      if (execute) return this.#execute(key, priority, given);
      return hasSignal && given !== undefined
        ? this.#service.call(key, priority, given)
        : this.#service.call(key, priority);
    };
    asker.run(this.#callers.length, () => caller.make(make));
  }

  #execute(key: string, priority: number, signal: AbortSignal | undefined): Promise<unknown> {
    const options: ExecuteOptions = { args: [key, priority] };
    if (signal !== undefined) options.signal = signal;
    if (this.script.answersRefusals) options.onRefused = (error) => `refused: ${error.code}`;
    return this.#resilience.execute(
      'main',
      (call) => {
        const context = contextOf(this.engine.library, this.callContext);
        const what = `attempt ${call.attempt} of execute(${textOf(call.args)})${context}`;
        return this.work.begin(what, this.script.signal ? call.signal : undefined, 'promise');
      },
      options,
    );
  }

  #rule(set: Readonly<Record<string, unknown>> | undefined): unknown {
    const { rules } = this.#resilience;
    if (set === undefined) return rules.clear({ by: 'the script' });
    return rules.apply({ policies: { main: set } }, { by: 'the script' });
  }

  #order(order: Order): unknown {
    const handle = this.#resilience.circuitBreaker('main');
    if (order === 'restore') {
      if (this.#snapshot !== undefined) return handle.restore(this.#snapshot);
      this.#snapshot = handle.snapshot();
      // Why it is in its state is text; since when one is forced or disabled that was so already is an accident.
      const ordered = this.#snapshot.state === 'disabled' || this.#snapshot.state === 'forcedOpen';
      return { ...this.#snapshot, reason: undefined, ...(ordered ? { since: undefined } : {}) };
    }
    return handle[order]();
  }

  /** What an operator does gives something, or throws. */
  #note(what: string, act: () => unknown): void {
    try {
      this.#notes.push(`${what}: ${textOf(act())}`);
    } catch (error) {
      this.#notes.push(`${what} threw ${textOf(error)}`);
    }
  }

  #caller(pick: number): Caller | undefined {
    return this.#callers[pick % Math.max(1, this.#callers.length)];
  }
}
