import { extname, resolve } from 'node:path';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { instanceOf } from '../../errors/foreign.js';
import { isPlainObject } from '../../kernel/options/check.js';
import { textOf } from '../../kernel/error-text.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { FileWatch } from './file-watch.js';
import type { RuleSource } from '../../rules/rule-source.js';
import { readRulesText } from './rules-text.js';

/** A few lines of YAML can stand for more values than memory holds, where each repeats the one before. */
const MAX_ALIASES = 100;

/** Rules in a JSON or YAML file. */
export class FileRuleSource implements RuleSource {
  readonly #path: string;
  readonly #place: string;
  #watch: FileWatch | undefined;

  constructor(readonly name: string) {
    this.#path = resolve(name);
    this.#place = `rules in ${name}`;
  }

  async read(): Promise<unknown> {
    const text = await readRulesText(this.#path, this.#place);
    if (text === undefined) return undefined;
    try {
      return await this.#parse(text);
    } catch (error) {
      if (instanceOf(error, ResilienceConfigurationError)) throw error;
      throw new ResilienceConfigurationError(this.#place, textOf(error));
    }
  }

  watch(changed: () => void): void {
    this.#watch = new FileWatch(this.#path, changed, (error) => {
      const problem = `${this.name} cannot be watched (${textOf(error)}): it is looked at twice a second instead`;
      new CarefulLogger().write('warn', problem);
    });
    try {
      this.#watch.start();
    } catch (error) {
      throw new ResilienceConfigurationError(this.#place, `its folder cannot be watched: ${textOf(error)}`);
    }
  }

  close(): void {
    this.#watch?.close();
  }

  async #parse(text: string): Promise<unknown> {
    if (!['.yaml', '.yml'].includes(extname(this.#path).toLowerCase())) return withoutNotes(JSON.parse(text));
    return withoutNotes((await loadYaml(this.name)).parse(text, { maxAliasCount: MAX_ALIASES, merge: true }));
  }
}

/** Sections whose names begin with `x-` are there to be referred to, and are no rules. */
function withoutNotes(document: unknown): unknown {
  if (!isPlainObject(document)) return document;
  return Object.fromEntries(Object.entries(document).filter(([section]) => !section.startsWith('x-')));
}

interface Yaml {
  parse(text: string, options: { maxAliasCount: number; merge: boolean }): unknown;
}

/** Whoever has no YAML need not have it: neither the package nor its types are named where compilers and bundlers look. */
const load = (name: string): Promise<unknown> => import(name);

async function loadYaml(name: string): Promise<Yaml> {
  try {
    return (await load('yaml')) as Yaml;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new ResilienceConfigurationError(
      `rules in ${name}`,
      "YAML needs the package 'yaml', which is not installed; install it with: npm install yaml, or write the rules as JSON",
    );
  }
}
