import type { RuleFault } from '../../../errors/rule-set.error.js';
import { textOf } from '../../../kernel/error-text.js';
import { fraction, isPlainObject, show } from '../../../kernel/options/check.js';
import type { ResilienceRules } from '../../../module/rules/resilience-rules.js';
import { MAX_RULES_BYTES } from '../../../module/rules/rules-text.js';
import { knownPartOf } from '../../../rules/known-part.js';
import { ROOT } from '../../../rules/plain-data.js';
import type { RuleDocument } from '../../../rules/rule-document.js';

/** A set of rules from etcd, as this process takes it. */
export interface JudgedRules {
  /** What this version knows of it; to be used only where there are no faults. */
  readonly document: RuleDocument;
  /** The share of the processes that are to apply it. */
  readonly share: number;
  /** Any of them refuses the whole set. */
  readonly faults: readonly RuleFault[];
  /** The paths of what this version does not know. */
  readonly unknown: readonly string[];
}

/** Reads the text of a set, and finds all that is wrong with it for this app. */
export function judgeRules(text: string, rules: Pick<ResilienceRules, 'validate'>): JudgedRules {
  const size = Buffer.byteLength(text);
  if (size > MAX_RULES_BYTES) return refused(`expected at most ${MAX_RULES_BYTES} bytes, got ${size}`, size);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return refused(`expected JSON: ${textOf(error)}`, undefined);
  }
  if (!isPlainObject(parsed))
    return refused(`expected { version?, share?, policies?, methods? }, got ${show(parsed)}`, parsed);
  const { share = 1, ...rest } = parsed;
  const { document, unknown } = knownPartOf(rest);
  const faults = rules.validate(document as RuleDocument);
  if (!fraction.accepts(share))
    faults.unshift({ path: 'share', message: `expected ${fraction.expected}, got ${show(share)}`, value: share });
  return { document: document as RuleDocument, share: share as number, faults, unknown };
}

function refused(message: string, value: unknown): JudgedRules {
  return { document: {}, share: 1, faults: [{ path: ROOT, message, value }], unknown: [] };
}
