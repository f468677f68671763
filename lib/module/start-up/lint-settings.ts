import { isPlainObject } from '../../kernel/options/check.js';
import { resolveLint, type LintSettings } from '../../planning/lint/lint-options.js';
import type { ResilienceModuleExtras } from '../resilience.module-definition.js';

/**
 * What the module's options say of the warnings at start. A caller's limit counts where the app has said it itself.
 *
 * @throws ResilienceConfigurationError
 */
export function lintSettings(options: unknown, { deadlines }: ResilienceModuleExtras): LintSettings {
  const off = resolveLint('ResilienceModule.forRoot, lint', isPlainObject(options) ? options.lint : undefined);
  const isSaid = deadlines?.accept === true && typeof deadlines.max === 'number';
  const caller = isSaid ? { ms: deadlines.max as number, option: 'deadlines.max', source: 'forRoot' } : undefined;
  return { off, caller };
}
