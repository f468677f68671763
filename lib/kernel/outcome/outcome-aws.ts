import { isObject, propertyOf } from '../../errors/foreign.js';

/** Whether an error of the AWS SDK asks for another try later: many of these come with the status 400. */
export function asksForLater(error: object): boolean {
  if (!isObject(propertyOf(error, '$metadata'))) return false;
  return propertyOf(propertyOf(error, '$retryable'), 'throttling') === true || LATER.has(propertyOf(error, 'name'));
}

/** @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const LATER: ReadonlySet<unknown> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);
