import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { show } from '../../kernel/options/check.js';

const ON = ['1', 'true', 'yes', 'on'];
const OFF = ['', '0', 'false', 'no', 'off'];

/** Whether the environment turns off everything but Fallback and Recover. */
export function isKilledByEnvironment(): boolean {
  return ON.includes(said());
}

/** Nobody who pulls the switch is left to find out that it did nothing. @throws ResilienceConfigurationError */
export function checkKillSwitch(): void {
  if ([...ON, ...OFF].includes(said())) return;
  throw new ResilienceConfigurationError(
    'BULWARK_DISABLED',
    `expected 1 or 0, got ${show(process.env.BULWARK_DISABLED)}`,
  );
}

function said(): string {
  return (process.env.BULWARK_DISABLED ?? '').trim().toLowerCase();
}
