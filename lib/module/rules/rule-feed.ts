import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { heed } from '../../errors/foreign.js';
import { textOf } from '../../kernel/error-text.js';
import { MODULE_OPTIONS_TOKEN, type ResilienceModuleOptions } from '../resilience.module-definition.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { faultsOfData, ROOT } from '../../rules/plain-data.js';
import { ResilienceRules } from './resilience-rules.js';
import type { RuleDocument } from '../../rules/rule-document.js';
import type { RuleSource } from '../../rules/rule-source.js';

/** Applies what the source of the options gives, at start and on each change. */
@Injectable()
export class RuleFeed implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new CarefulLogger();
  #source: RuleSource | undefined;
  #name = '';
  /** What was read last: a source that says the same again does not undo what was applied by hand since. */
  #last: unknown;
  /** What was wrong when it was read last: the same is not said twice. */
  #problem: string | undefined;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly rules: ResilienceRules,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: ResilienceModuleOptions,
  ) {}

  /** @throws RuleSetError, or whatever the source says, when it holds no rules for this app. */
  async onModuleInit(): Promise<void> {
    const from = this.options.rules;
    // What is wrong with the options is told by the checks, and rules cannot be judged by them.
    if (from === undefined || this.rules.refused) return;
    const source = (this.#source = 'file' in from ? await fileSource(from.file) : from.source);
    this.#name = source.name;
    const document = await source.read();
    if (document === undefined)
      this.#logger.write('warn', `${this.#name} is not there yet: the app starts without rules`);
    else this.#apply(document);
    if (this.#closed) return;
    const watching: unknown = source.watch(() => {
      this.#reading = this.#reading.then(() => this.#readAgain(source));
    });
    heed(watching, (error) => this.#logger.write('error', `${this.#name} is not watched any more: ${textOf(error)}`));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    try {
      await this.#source?.close();
    } catch (error) {
      this.#logger.write('error', `${this.#name} could not be closed: ${textOf(error)}`);
    }
  }

  async #readAgain(source: RuleSource): Promise<void> {
    if (this.#closed || this.#isOutranked()) return;
    try {
      const document = await source.read();
      if (document === undefined) this.#gone();
      else this.#apply(document);
      this.#problem = undefined;
    } catch (error) {
      const problem = `${this.#name}: the rules in force stay, since the new ones are wrong: ${textOf(error)}`;
      if (problem === this.#problem) return;
      this.#problem = problem;
      this.#logger.write('error', problem);
    }
  }

  /** Whether rules have come from a source that goes before this one. */
  #isOutranked(): boolean {
    const { foremost } = this.rules;
    if (foremost === undefined) return false;
    const problem = `${this.#name} has changed, and changes nothing: the rules come from ${foremost}`;
    if (problem !== this.#problem) this.#logger.write('warn', problem);
    this.#problem = problem;
    return true;
  }

  #gone(): void {
    if (this.#last === undefined) return;
    this.#last = undefined;
    this.#logger.write(
      'warn',
      `${this.#name} is gone: the rules in force stay; an empty document, {}, takes them back`,
    );
  }

  #apply(document: unknown): void {
    // What is no plain data may be endless to compare; it is refused below.
    const isPlain = faultsOfData(ROOT, document).length === 0;
    if (isPlain && this.#last !== undefined && isDeepStrictEqual(document, this.#last)) return;
    this.#last = isPlain ? document : undefined;
    this.rules.apply(document as RuleDocument, { by: this.#name, source: this.#name });
  }
}

/** Apps without a file of rules do not load what reads and watches one. */
async function fileSource(path: string): Promise<RuleSource> {
  const { FileRuleSource } = await import('./file-rule-source.js');
  return new FileRuleSource(path);
}
