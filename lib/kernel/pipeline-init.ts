import type { PaidByFirsts } from './course.js';
import type { Decision } from './decision.js';
import type { HandOn } from './decisions.js';
import type { Guard } from './guard.js';
import type { Work } from './junction.js';
import type { Target } from './target.js';

/** What a pipeline is made of. */
export interface PipelineInit {
  readonly target: Target;
  /** Outermost first. */
  readonly guards?: readonly Guard[];
  /** Innermost first. */
  readonly decisions?: readonly Decision[];
  readonly work: Work;
  /** Whether its work are attempts of another pipeline. */
  readonly isJunction?: boolean;
  /** Is paid for first attempts, beside what the decisions say. */
  readonly budget?: PaidByFirsts | undefined;
  /** Whether a cut ends an attempt for its caller, although its work goes on. */
  readonly endsEarly?: boolean;
  /** Whether somebody is told of what each call comes to. */
  readonly tells?: boolean;
  /** Hands on what answers in place of a stream; undefined: answers are given as they are. */
  readonly handOn?: HandOn | undefined;
}
