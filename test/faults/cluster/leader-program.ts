import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** An app that stands for several leaderships, and does by lines of its input what it is told; each is answered by a line. */
const PROGRAM = `
import 'reflect-metadata';
import { createInterface } from 'node:readline';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule } from './index.js';
import { EtcdService, ResilienceEtcdModule } from './cluster/etcd/index.js';

const [host, ttl, ...names] = process.argv.slice(2);
class AppModule {}
Module({
  imports: [ResilienceModule.forRoot(), ResilienceEtcdModule.forRoot({ hosts: host, prefix: 'app/', ttl: Number(ttl) })],
})(AppModule);
const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const etcd = app.get(EtcdService);
const { client } = etcd.surroundings;
const leads = () => names.filter((name) => etcd.leadership(name) !== undefined);
let held = new Map();

const commands = {
  leads,
  hold: () => {
    held = new Map(leads().map((name) => [name, etcd.leadership(name)]));
    return [...held.keys()];
  },
  put: async () => {
    const believed = leads();
    const accepted = [];
    const put = async ([name, fence]) => {
      for (;;) {
        try {
          if ((await client.putIf('data/' + name, String(process.pid), { fence })) !== undefined) accepted.push(name);
          return;
        } catch {
          // A connection may have been lost while it was stopped; the next try is as late.
        }
      }
    };
    await Promise.all([...held].map(put));
    return { believed, accepted };
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await commands[line]()));
}
await app.close();
`;

/** @param folder with the compiled library. */
export async function writeLeaderProgram(folder: string): Promise<string> {
  const file = join(folder, 'leader-program.js');
  await writeFile(file, PROGRAM);
  return file;
}

/** What a process has put under its fences. */
export interface FencedPuts {
  /** What it took itself for the leader of when it began. */
  readonly believed: string[];
  readonly accepted: string[];
}

/** One process of that program. */
export class LeaderProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor(file: string, host: string, ttl: number, names: readonly string[]) {
    this.#child = spawn(process.execPath, [file, host, String(ttl), ...names], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
  }

  /** What it leads. */
  leads(): Promise<string[]> {
    return this.#ask<string[]>('leads');
  }

  /** Keeps the fences of what it leads now. @returns of what. */
  hold(): Promise<string[]> {
    return this.#ask<string[]>('hold');
  }

  /** Puts under the fences that were kept; while it is stopped it does that first when it goes on. */
  put(): Promise<FencedPuts> {
    return this.#ask<FencedPuts>('put');
  }

  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it in order. */
  async end(): Promise<void> {
    this.goOn();
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask<T>(command: string): Promise<T> {
    const answer = once(this.#lines, 'line');
    this.#child.stdin?.write(`${command}\n`);
    const [line] = (await answer) as [string];
    return JSON.parse(line) as T;
  }
}
