import type { ActionRefusal, ActionRequest, ActionResult, InstanceDetail } from '../../../protocol.js';
import { encoded } from '../model/route.js';
import { addressAt } from './base.js';

/** @throws Error with a text for people. */
export async function fetchDetail(name: string, signal: AbortSignal): Promise<InstanceDetail> {
  const response = await fetch(addressAt(`api/instances?name=${encoded(name)}`), { signal });
  if (!response.ok) throw new Error(reasonOf(response.status));
  return (await response.json()) as InstanceDetail;
}

/** What came of an action, in plain words. */
export type ActionOutcome =
  | { readonly done: true; readonly state: ActionResult['state'] }
  | { readonly done: false; readonly code: ActionRefusal['code'] | null; readonly text: string };

export async function act(request: ActionRequest): Promise<ActionOutcome> {
  let response: Response;
  try {
    response = await fetch(addressAt('api/actions'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
  } catch {
    return { done: false, code: null, text: 'The app did not answer. Try again: the same command does nothing twice.' };
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && hasText(body, 'state')) return { done: true, state: (body as ActionResult).state };
  if (hasText(body, 'code')) {
    const refusal = body as ActionRefusal;
    return { done: false, code: refusal.code, text: REFUSALS[refusal.code] ?? refusal.message };
  }
  return { done: false, code: null, text: reasonOf(response.status) };
}

const REFUSALS: Partial<Record<ActionRefusal['code'], string>> = {
  FORBIDDEN: 'Not done: you may look here, but not act.',
  UNKNOWN_INSTANCE: 'Not done: the app knows no instance of this name any more.',
  OTHER_PROCESS:
    'Not done: another process answered than the one that this page shows. Reload the page and look at its state first.',
  STALE: 'Not done: the state has changed since you looked. Look at the state that is shown now, and decide again.',
  REPEATED: 'Not done again: this very command was already received.',
  FLEET_FAILED: 'Not known to be done: the fleet could not be told. Look at its state before you try again.',
  NO_FLEET: 'Not done: this app takes no commands for the whole fleet.',
};

/** Why a request was turned away. */
export function reasonOf(status: number): string {
  if (status === 401) return 'You are not signed in (401).';
  if (status === 403) return 'You may not see this (403).';
  if (status === 404) return 'The app does not know it (404).';
  if (status === 414 || status === 431) return `The name is too long to ask for (${status}).`;
  return `The app answered ${status}.`;
}

function hasText(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[key] === 'string';
}
