import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Bulkhead, Signal, Timeout } from 'nestjs-bulwark';
import type { Mode } from '../upstream/mode.js';
import { UpstreamProcess } from './upstream-process.js';
import { tell, Upstream, type UpstreamStatus } from './upstream.js';

/** Keeps the payment provider of the sample: a process of its own, which it starts, steers and stops. */
@Injectable()
export class UpstreamSupervisor extends Upstream implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('Upstream');
  #process: UpstreamProcess | undefined;
  #mode: Mode = 'gone';
  #url = '';

  onModuleInit(): Promise<void> {
    return this.#start();
  }

  async onApplicationShutdown(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.stop();
  }

  get url(): string {
    return this.#url;
  }

  get status(): UpstreamStatus {
    return { mode: this.#mode, pid: this.#process?.pid ?? null };
  }

  /** Makes the provider behave so; one that is gone is started again. One change at a time. */
  @Bulkhead({ maxConcurrent: 1, maxQueue: 10 })
  @Timeout(5_000)
  async setMode(mode: Mode, @Signal() signal?: AbortSignal): Promise<UpstreamStatus> {
    if (mode === 'gone' && this.#process === undefined) return this.status;
    if (this.#process === undefined) await this.#start();
    await this.#tell(mode, signal);
    if (mode === 'gone') await this.#process?.exited;
    return this.status;
  }

  async #start(): Promise<void> {
    const process = await UpstreamProcess.start();
    this.#process = process;
    this.#url = process.url;
    this.#mode = 'healthy';
    this.#logger.log(`The payment provider runs as process ${process.pid} at ${process.url}`);
    void process.exited.then(() => this.#forget(process));
  }

  async #tell(mode: Mode, signal?: AbortSignal): Promise<void> {
    await tell(this.#url, mode, signal);
    this.#mode = mode;
    this.#logger.log(`The payment provider is ${mode}`);
  }

  #forget(process: UpstreamProcess): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    this.#mode = 'gone';
    this.#logger.warn('The payment provider has ended; POST /upstream {"mode":"healthy"} brings it back');
  }
}
