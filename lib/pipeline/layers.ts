import type { Decision } from '../kernel/decision.js';
import type { Guard } from '../kernel/guard.js';
import type { Work } from '../kernel/junction.js';
import { ObservedPipeline, observing, type Observed } from '../kernel/observed-pipeline.js';
import { Pipeline } from '../kernel/pipeline.js';
import type { PipelineInit } from '../kernel/pipeline-init.js';
import type { Role } from '../kernel/role.js';
import type { Target } from '../kernel/target.js';
import { ORDER, type Stage } from './order.js';

export type Stages = Partial<Record<Stage, Role>>;

/**
 * Puts policies around `work`, in the order of the table. Guards and decisions that follow each other make one pipeline;
 * a junction begins another one, whose work are attempts of the one inside.
 *
 * @param options what all of them have in common; `endsEarly` is that of the innermost.
 * @param observed for whom it tells of its calls; undefined: nobody.
 */
export function layered(
  stages: Stages,
  target: Target,
  work: Work,
  options: Pick<PipelineInit, 'endsEarly' | 'handOn'> = {},
  observed?: Observed,
): Pipeline {
  const { handOn } = options;
  let { endsEarly } = options;
  let guards: Guard[] = [];
  let decisions: Decision[] = [];
  let inside = work;
  let isJunction = false;
  const init = (): PipelineInit => {
    const own = { target, guards, decisions, work: inside, endsEarly, handOn, isJunction };
    return observed === undefined || isJunction ? own : observing(own);
  };
  for (const place of [...ORDER].reverse()) {
    const role = stages[place];
    if (role === undefined) continue;
    if ('guard' in role) guards = [role.guard, ...guards];
    else if ('decision' in role) decisions = [...decisions, role.decision];
    else {
      const { junction } = role;
      const { budget } = junction;
      const inner = new Pipeline({ ...init(), budget });
      inside = (attempt) => junction.run(attempt, inner);
      endsEarly = false;
      isJunction = true;
      guards = [];
      decisions = [];
    }
  }
  return observed === undefined ? new Pipeline(init()) : new ObservedPipeline(init(), observed);
}
