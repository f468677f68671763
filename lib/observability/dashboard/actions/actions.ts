import { textOf } from '../../../kernel/error-text.js';
import { CircuitBreakerHandle } from '../../../module/breaker-handle.js';
import type { FleetCommands } from '../../../module/fleet-commands.js';
import type { Instances } from '../../../planning/instances.js';
import { oneLine } from '../one-line.js';
import type { ActionKind, ActionRequest } from '../protocol.js';
import { FLEET_MS } from './action-request.js';
import { refusals, type Refusal } from './refusal.js';
import { SeenIds } from './seen-ids.js';

/** What actions work on. */
export interface ActionsInit {
  /** The id of this process. */
  readonly process: string;
  readonly instances: Pick<Instances, 'breaker'>;
  /** undefined: there is no fleet, or it hears no commands. */
  readonly fleet: FleetCommands | undefined;
}

/** What has come of an action. */
export type Outcome =
  { readonly state: CircuitBreakerHandle['state'] } | { readonly refusal: Refusal; readonly detail?: string };

/** Does what operators ask for, each of it once, and only where they saw what they act on. */
export class Actions {
  readonly #taken = new SeenIds();

  constructor(private readonly init: ActionsInit) {}

  async take(request: ActionRequest, by: string): Promise<Outcome> {
    const { process, instances, fleet } = this.init;
    if (request.process !== process) return { refusal: refusals.otherProcess };
    if (this.#taken.has(request.id)) return { refusal: refusals.repeated };
    const breaker = instances.breaker(request.instance, request.key);
    if (breaker === undefined) return { refusal: refusals.unknown };
    const handle = new CircuitBreakerHandle(breaker);
    if (handle.state !== request.seen) return { refusal: refusals.stale };
    if (request.scope !== 'fleet') {
      this.#taken.add(request.id);
      steer(handle, request.action, `${by}: ${request.reason ?? 'from the dashboard'}`);
      return { state: handle.state };
    }
    if (fleet === undefined) return { refusal: refusals.noFleet };
    this.#taken.add(request.id);
    try {
      await command(fleet, request, by);
    } catch (error) {
      return { refusal: refusals.fleetFailed, detail: oneLine(textOf(error), 200) };
    }
    return { state: handle.state };
  }
}

function steer(handle: CircuitBreakerHandle, action: ActionKind, reason: string): void {
  switch (action) {
    case 'forceOpen':
      return handle.forceOpen(reason);
    case 'forceClose':
      return handle.forceClose();
    case 'reset':
      return handle.reset();
    case 'disable':
      return handle.disable();
    case 'enable':
      return handle.enable();
  }
}

/** Processes cannot take back what was ordered of them by hand elsewhere: closing takes back the command, and resets. */
async function command(fleet: FleetCommands, request: ActionRequest, author: string): Promise<void> {
  const { instance, action, reason = 'from the dashboard', for: ms = FLEET_MS } = request;
  const signed = { reason: reason === '' ? 'from the dashboard' : reason, author };
  if (action === 'forceOpen') return fleet.command(instance, { state: 'forcedOpen', ...signed, for: ms });
  if (action === 'disable') return fleet.command(instance, { state: 'disabled', ...signed, for: ms });
  await fleet.command(instance, { state: 'normal', ...signed });
  if (action !== 'enable') await fleet.reset(instance, signed);
}
