import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { instanceOf } from '../../errors/foreign.js';
import { textOf } from '../../policies/error-text.js';
import type { RuleSource } from './rule-source.js';

/** Whoever writes a file does so in several steps; it is read when they are over. */
const SETTLE_MS = 100;

/**
 * Rules in a JSON or YAML file. Its folder is watched, since editors put a new file in place of the old one; and in
 * Kubernetes a ConfigMap's files are links through `..data`, which is what changes.
 */
export class FileRuleSource implements RuleSource {
  readonly #path: string;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly name: string) {
    this.#path = resolve(name);
  }

  async read(): Promise<unknown> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return await this.#parse(text);
    } catch (error) {
      if (instanceOf(error, ResilienceConfigurationError)) throw error;
      throw new ResilienceConfigurationError(`rules in ${this.name}`, textOf(error));
    }
  }

  watch(changed: () => void): void {
    const file = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_event, entry) => {
        if (entry === null || entry === file || entry.startsWith('..')) this.#soon(changed);
      });
    } catch (error) {
      const problem = `its folder cannot be watched: ${textOf(error)}`;
      throw new ResilienceConfigurationError(`rules in ${this.name}`, problem);
    }
    this.#watcher.on('error', (error) => {
      new Logger('Bulwark').error(`${this.name} is not watched any more: ${textOf(error)}`);
    });
    // What happened between the first reading and now is not told by the watcher.
    this.#soon(changed);
  }

  close(): void {
    this.#watcher?.close();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Each event in a burst puts nothing off: a folder in which much happens must not keep a change waiting. */
  #soon(changed: () => void): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      changed();
    }, SETTLE_MS);
    this.#timer.unref();
  }

  async #parse(text: string): Promise<unknown> {
    if (!['.yaml', '.yml'].includes(extname(this.#path).toLowerCase())) return JSON.parse(text) as unknown;
    return (await loadYaml(this.name)).parse(text);
  }
}

async function loadYaml(name: string): Promise<{ parse(text: string): unknown }> {
  try {
    // Whoever has no YAML need not have it: neither the package nor its types are named where a compiler looks.
    const yaml: string = 'yaml';
    return (await import(yaml)) as { parse(text: string): unknown };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new ResilienceConfigurationError(
      `rules in ${name}`,
      "YAML needs the package 'yaml', which is not installed; install it with: npm install yaml, or write the rules as JSON",
    );
  }
}
