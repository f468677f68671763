/**
 * No endpoint of a service is known.
 *
 * @publicApi
 */
export class NoEndpointError extends Error {
  override readonly name = 'NoEndpointError';
  readonly code = 'NO_ENDPOINT';

  constructor(readonly service: string) {
    super(`no endpoint of ${service} is known`);
  }
}
