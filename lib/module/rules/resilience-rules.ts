import { Inject, Injectable } from '@nestjs/common';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { RuleSetError, type RuleFault } from '../../errors/rule-set.error.js';
import { isPlainObject, show } from '../../kernel/options/check.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import type { Runtime } from '../runtime/runtime.js';
import { RUNTIME } from '../tokens.js';
import { readRules } from '../../rules/read-rules.js';
import { rehearse, type Outlook } from '../../rules/rehearsal.js';
import type { RuleChange, RuleDocument } from '../../rules/rule-document.js';
import { RuleSet } from '../../rules/rule-set.js';

/** Who changes the rules, and why. */
export interface RuleAuthor {
  /** A person, a program: whoever is to be asked about it. */
  by: string;
  reason?: string;
  /** The way by which the rules came. @default 'api' */
  source?: string;
}

/**
 * Rules change policies while the app runs: a rule wins over every option that code and configuration gave, and what an
 * operator does by hand wins over a rule. One document is in force at a time. It is applied as a whole or not at all;
 * breakers, bulkheads, limits and budgets keep their state and their counts; calls that run finish under the plan with
 * which they began.
 *
 * @example
 * resilience.rules.apply({ policies: { payments: { bulkhead: 40 } } }, { by: 'ann', reason: 'sale' });
 *
 * @publicApi
 */
@Injectable()
export class ResilienceRules {
  readonly #runtime: Runtime;
  readonly #logger = new CarefulLogger();
  #rules = RuleSet.NONE;
  #current: RuleDocument | undefined;

  constructor(@Inject(RUNTIME) runtime: unknown) {
    this.#runtime = runtime as Runtime;
  }

  /** The document in force, in a frozen copy; undefined: none. */
  get current(): RuleDocument | undefined {
    return this.#current;
  }

  /**
   * The source whose word goes before that of every other source from now on; undefined: none yet. What is applied from
   * code is heard as before.
   *
   * @internal
   */
  foremost: string | undefined;

  /** Whether the app's options are wrong, so that no rules can be judged. @internal */
  get refused(): boolean {
    return this.#runtime.mistakes.any;
  }

  /** All that is wrong with a document for this app; an empty list: {@link apply} would take it. */
  validate(document: RuleDocument): RuleFault[] {
    return [...this.#look(document).outlook.faults];
  }

  /**
   * What {@link apply} would change in the rules in force.
   *
   * @throws RuleSetError for a document that it would refuse.
   */
  diff(document: RuleDocument): RuleChange[] {
    return this.#accept(document, 'ResilienceRules.diff').rules.changesTo(this.#rules);
  }

  /**
   * Puts a document into force in place of the one before, and tells each change as an event `ruleChange`. A document
   * that says the same changes nothing and tells nothing.
   *
   * @throws RuleSetError with every fault; then nothing has changed.
   */
  apply(document: RuleDocument, author: RuleAuthor): RuleChange[] {
    checkAuthor(author);
    const { rules, outlook } = this.#accept(document, `rules by ${author.by}`);
    return this.#adopt(rules, outlook, deepFreeze(structuredClone(document)), author);
  }

  /** Takes all rules back: what code and configuration say is in force. */
  clear(author: RuleAuthor): RuleChange[] {
    checkAuthor(author);
    return this.#adopt(RuleSet.NONE, rehearse(this.#runtime.app, RuleSet.NONE), undefined, author);
  }

  #look(document: unknown): { rules: RuleSet; outlook: Outlook } {
    const { rules, faults } = readRules(document);
    // What could be read is tried all the same, so that all that is wrong is told at once.
    const outlook = rehearse(this.#runtime.app, rules, faults.length === 0);
    return { rules, outlook: { ...outlook, faults: [...faults, ...outlook.faults] } };
  }

  #accept(document: unknown, place: string): { rules: RuleSet; outlook: Outlook } {
    const { rules, outlook } = this.#look(document);
    if (outlook.faults.length > 0) throw new RuleSetError(place, outlook.faults);
    return { rules, outlook };
  }

  #adopt(rules: RuleSet, outlook: Outlook, document: RuleDocument | undefined, author: RuleAuthor): RuleChange[] {
    const changes = rules.changesTo(this.#rules);
    const before = this.#rules;
    this.#current = document;
    if (changes.length === 0) return [];
    this.#rules = rules;
    this.#runtime.app.adoptRules(rules);
    this.#runtime.app.plans.forgetSets();
    for (const plan of outlook.changed) plan.forget();
    this.#runtime.instances.reconfigure(outlook.instances);
    this.#tell(changes, before, rules, author);
    return changes;
  }

  #tell(changes: readonly RuleChange[], before: RuleSet, now: RuleSet, author: RuleAuthor): void {
    const { by, reason, source = 'api' } = author;
    const list = changes.map(({ path, from, to }) => `${path}: ${ruleOf(from)} -> ${ruleOf(to)}`).join('; ');
    const whose = `${by} (${source})${reason === undefined ? '' : `, ${reason}`}`;
    const { version } = now;
    const fields = { event: 'ruleChange', by, reason, source, version, changes: changes.length };
    if (this.#runtime.logs) this.#logger.write('log', `Rules by ${whose}: ${list}`, { fields });
    const { events } = this.#runtime;
    if (!events.hearsChanges) return;
    for (const change of changes) {
      const { name, key: policy } = now.subjectOf(change.path) ?? before.subjectOf(change.path) ?? NOBODY;
      events.emitChange({ type: 'ruleChange', name, policy, ...change, by, reason, source, version });
    }
  }
}

const NOBODY = { name: '', key: 'timeout' } as const;

/** What was in force without a rule is what code and configuration say. */
function ruleOf(value: unknown): string {
  return value === undefined ? 'no rule' : show(value);
}

function checkAuthor(author: unknown): void {
  const by = isPlainObject(author) ? author['by'] : author;
  if (isPlainObject(author) && typeof by === 'string' && by.trim() !== '') return;
  throw new ResilienceConfigurationError(
    'ResilienceRules',
    `expected who changes the rules, as { by: 'ann' }, got ${show(isPlainObject(author) ? by : author)}`,
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
