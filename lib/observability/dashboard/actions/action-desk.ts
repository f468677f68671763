import { isOwnOrigin } from '../access/own-origin.js';
import type { ActionDoor } from '../http/action-door.js';
import type { Exchange } from '../http/exchange.js';
import { glance, readAction } from './action-request.js';
import { Actions, type ActionsInit, type Outcome } from './actions.js';
import type { Audit, AuditedAction } from './audit.js';
import { operatorOf } from './operator.js';
import { readBody } from './read-body.js';
import { invalid, refusals, type Refusal } from './refusal.js';

/** What the desk works with. */
export interface ActionDeskInit extends ActionsInit {
  readonly allowedOrigins: readonly string[];
  readonly audit: Audit;
  readonly door: ActionDoor;
}

/** Takes requests for actions: what it does not do it answers, and each of them is told. */
export class ActionDesk {
  readonly #init: ActionDeskInit;
  readonly #actions: Actions;

  constructor(init: ActionDeskInit) {
    this.#init = init;
    this.#actions = new Actions(init);
  }

  async serve(exchange: Exchange, canAct: boolean): Promise<void> {
    const { audit, door } = this.#init;
    door.heard(exchange.incoming);
    const by = operatorOf(exchange.request);
    const { action, outcome } = await this.#handle(exchange, canAct, by);
    if ('refusal' in outcome) {
      const { refusal, detail } = outcome;
      audit.refused(by, action, refusal.code, detail ?? refusal.message);
      exchange.json(refusal.status, { code: refusal.code, message: refusal.message });
    } else {
      audit.done(by, action, `it is ${outcome.state}`);
      exchange.json(200, { state: outcome.state });
    }
  }

  /** The app has answered a request by itself, or its client has gone before. */
  unheard(by: string, status: number | undefined): void {
    const why = status === undefined ? 'the client has gone' : `the app has answered ${status} before it was read`;
    this.#init.audit.refused(by, {}, status === undefined ? 'BROKEN_OFF' : `HTTP_${status}`, why);
  }

  async #handle(exchange: Exchange, canAct: boolean, by: string): Promise<{ action: AuditedAction; outcome: Outcome }> {
    const { allowedOrigins, door } = this.#init;
    const refused = (refusal: Refusal, body?: unknown) => ({ action: glance(body), outcome: { refusal } });
    const { parsedBody } = exchange;
    if (!isOwnOrigin(exchange.incoming.headers, allowedOrigins)) return refused(refusals.origin, parsedBody);
    if (!canAct) return refused(refusals.rights, parsedBody);
    const body = await readBody(exchange, () => door.received(exchange.incoming));
    if ('refusal' in body) return refused(body.refusal);
    const action = readAction(body.value);
    if ('wrong' in action) return refused(invalid(action.wrong), body.value);
    return { action, outcome: await this.#actions.take(action, by) };
  }
}
