import type { Mode } from '../upstream/mode.js';

export interface UpstreamStatus {
  readonly mode: Mode;
  readonly pid: number | null;
}

/** The payment provider, as the shop knows it: where it is, and how it is made to misbehave. */
export abstract class Upstream {
  /** Where the provider is, or was: a client of a provider that is gone finds nobody there. */
  abstract get url(): string;

  abstract get status(): UpstreamStatus;

  /** Makes the provider behave so. */
  abstract setMode(mode: Mode, signal?: AbortSignal): Promise<UpstreamStatus>;
}

/** Tells a provider how to behave. */
export async function tell(url: string, mode: Mode, signal?: AbortSignal): Promise<void> {
  const body = JSON.stringify({ mode });
  const response = await fetch(`${url}/control`, { method: 'POST', body, signal: signal ?? null });
  await response.arrayBuffer();
}
