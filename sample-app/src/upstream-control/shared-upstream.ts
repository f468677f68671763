import { Signal, Timeout } from 'nestjs-bulwark';
import type { Mode } from '../upstream/mode.js';
import { tell, Upstream, type UpstreamStatus } from './upstream.js';

/** A provider that several shops share, and that somebody else keeps. */
export class SharedUpstream extends Upstream {
  /** As this shop has set it; another one may have set it since. */
  #mode: Mode = 'healthy';

  constructor(readonly url: string) {
    super();
  }

  get status(): UpstreamStatus {
    return { mode: this.#mode, pid: null };
  }

  @Timeout(5_000)
  async setMode(mode: Mode, @Signal() signal?: AbortSignal): Promise<UpstreamStatus> {
    await tell(this.url, mode, signal);
    this.#mode = mode;
    return this.status;
  }
}
