import type { Attempt } from '../../kernel/attempt.js';
import { LimitedCall, type LimitedPlaces } from './limited-call.js';
import type { InLine, WaitingLines } from './waiting-lines.js';
import type { Wanted } from './wanted.js';

/** A call in line, until its turn comes, it comes too late, or the call is cut. */
export class WaitingCall extends LimitedCall implements InLine {
  constructor(
    call: Attempt,
    wanted: Wanted,
    places: LimitedPlaces,
    private readonly lines: WaitingLines,
  ) {
    super(call, wanted, places);
  }

  tooLate(turnAt: number, now: number): void {
    const { since, boundMs, latest } = this.wanted;
    this.cut(this.places.refusals.tooLate(this.wanted, turnAt - since, turnAt - now, boundMs, latest - since));
  }

  protected join(): void {
    this.lines.join(this);
  }

  protected quit(): void {
    this.lines.leave(this);
  }
}
