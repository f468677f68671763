import type { MadePolicy, Making } from './making.js';
import type { DataForms } from './options/data-forms.js';
import type { Options } from './options/options.js';
import type { Rule, Ruling } from './ruling.js';
import type { StateKind } from './state-kind.js';

/** One policy of a method with the options in force. */
export interface Resolved {
  /** Who asked for it, as errors name it: `@Timeout`. */
  readonly label: string;
  /** The instance, if it was given a name. */
  readonly name: string | undefined;
  readonly options: Options;
  /** For each option where it came from. */
  readonly sources: Readonly<Record<string, string>>;
  readonly ruling?: Ruling | undefined;
}

/** From what a policy is planned. */
export interface Given {
  /** The method and the policy, as errors name them. */
  readonly place: string;
  /** What was declared and ruled; undefined: nothing. */
  readonly resolved: Resolved | undefined;
  /** Without the module a policy without a value is skipped. */
  readonly lenient: boolean;
  /** What another policy lends to it for want of its own: see {@link PolicyKind.lends}. */
  readonly lent: Loan | undefined;
}

/** An option of one policy that stands in where another has none of its own. */
export interface Loan {
  readonly by: string;
  readonly option: string;
  readonly value: unknown;
}

/** What is to stand at one place of the pipeline. */
export interface Step<P extends string = string> {
  readonly place: P;
  /** What it is made with, and what `plan()` shows of it. */
  readonly options: Options;
  readonly sources: Readonly<Record<string, string>>;
  /** What it bounds each attempt to, wait and run together, ms. @default nothing */
  readonly attemptLimit?: number | undefined;
  /** The policy that has lent its option. */
  readonly lender?: string | undefined;
}

/** A step of the plan of a method, ready to be made. */
export interface PlannedStep<P extends string = string> extends Step<P> {
  /** The instance: the name given to it, or `Class.method`. */
  readonly name: string;
  readonly ruling: Ruling | undefined;
}

/**
 * Everything that the engine must know of one policy. Each folder of policies says it of itself in its
 * `<policy>.kind.ts`, and every list of policies derives from these.
 *
 * K: its key in a set. S, R: what a policy set and a rule may say of it. P: its places.
 */
export interface PolicyKind<K extends string = string, S = unknown, R = unknown, P extends string = K> {
  readonly key: K;
  /** Where it stands in the order of the pipeline, outermost first. */
  readonly places: readonly P[];
  /** Never there; it carries the types. */
  readonly types?: { readonly setting: S; readonly rule: R };

  /** Checks a setting in any of the forms that code gives it. @throws ResilienceConfigurationError */
  parse(place: string, setting: unknown): Options;
  /** What is built in. */
  readonly defaults: Options;
  /** Options that answer the same question: one that is said later takes the place of the others. */
  readonly alternatives?: readonly string[];
  /** The options whose values code makes with functions of ours, and what data has in their place. */
  readonly dataForms?: DataForms;
  /** The option that a setting in data stands for, where it is a value of that option alone. */
  readonly shortFor?: string;
  /** Whether decorators may give it a name, under which others find its options. @default true */
  readonly nameable?: boolean;
  /** The `use` of each answer in a setting, and in options: the name of a method of the same object, or a handler. */
  readonly uses?: {
    inSetting(setting: unknown): readonly unknown[];
    inOptions(options: Options): readonly unknown[];
    /** Those of them that answer whatever the error is. */
    always(options: Options): readonly unknown[];
  };

  /** Options that belong to code: rules, which are data, cannot say them. */
  readonly codeOnly: readonly string[];
  /** Which settings other than an object of options a rule may hold. @default all that code may give */
  readonly shortRule?: { readonly expected: string; accepts(setting: unknown): boolean };
  /**
   * What rules say of whether it is at work. A policy that has this stays in the plan when a rule turns it off, with
   * `enabled: false`: an operator may still steer it.
   *
   * @param enabled what code and configuration say of `enabled`.
   */
  ruling?(name: string | undefined, ofName: Rule | undefined, ofMethod: Rule | undefined, enabled: boolean): Ruling;

  /** What keeps its state, so that calls meet in it; undefined: it keeps none. */
  readonly state?: StateKind;
  /** Whether it judges attempts, so that others of the plan ask it. @default false */
  readonly judges?: boolean;
  /** Whether it makes failed calls again. @default false */
  readonly repeats?: boolean;
  /** `'takes'`: its further attempts draw from a retry budget; `'names'`: else its name is that of the budget. */
  readonly budget?: 'takes' | 'names';
  /** Under the kill switch: `'works'`, or `'kept'`: it stands aside, but its state is there. @default it is gone */
  readonly underKillSwitch?: 'works' | 'kept';
  /** An option of it that stands in where another policy has none of its own. */
  readonly lends?: { readonly option: string; readonly to: string };
  /** What it is called where it can guard no stream, since that cannot run beside itself or be shared. */
  readonly refusesStreams?: string;
  /** Whether it guards the stream of a handler all the same, which is the one answer to a request. @default false */
  readonly takesAnswers?: boolean;
  /** Why the work that is handed to `execute()` cannot have it; undefined: it can. */
  readonly methodsOnly?: string;
  /** Whether nothing says what it is to do, so that it is skipped where no module could say. @default never */
  isEmpty?(options: Options): boolean;
  /** Options with all that follows from others. @throws ResilienceConfigurationError for want of what is not built in */
  resolve?(place: string, options: Options): Options;
  /** Where the options come from that {@link resolve} adds. */
  readonly derived?: Readonly<Record<string, string>>;
  /** What it puts into a plan. @default one step, with its options, if it was declared */
  steps?(given: Given): readonly Step<P>[];
  /** What the line of the log says of its options. @default nothing */
  describe?(options: Options): string;
  /** Makes the policy of a step. @throws ResilienceConfigurationError */
  make(step: PlannedStep<P>, making: Making): MadePolicy;
}
