import { Logger } from '@nestjs/common';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { callListener } from '../port/call-listener.js';
import { describeValue } from '../port/describe-value.js';
import { textOf } from '../port/error-text.js';
import type { FileDataProgress, FileProgressOptions } from './file-report.js';

/**
 * A user's `onProgress` that cannot hurt the work that it follows: what it throws, or what a promise that it gives rejects
 * with, is one warning.
 *
 * @throws ResilienceConfigurationError where it is no function.
 */
export function progressListener(onProgress: unknown): FileProgressOptions['onProgress'] {
  if (onProgress === undefined) return undefined;
  if (typeof onProgress !== 'function') {
    throw new ResilienceConfigurationError(
      'FileDataService',
      `option 'onProgress' is ${describeValue(onProgress)}; expected a function`,
    );
  }
  const listener = onProgress as (progress: FileDataProgress) => unknown;
  let hasFailed = false;
  const report = (error: unknown): void => {
    if (hasFailed) return;
    hasFailed = true;
    new Logger('FileDataService').warn(`onProgress failed, the work goes on: ${textOf(error)}`);
  };
  return (progress: FileDataProgress) => callListener(() => listener(progress), report);
}
