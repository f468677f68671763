import { BadGatewayException } from '@nestjs/common';

/** The provider did not do its work. Its own words are in `cause`, for the log: they are no customer's business. */
export class ProviderFailedException extends BadGatewayException {
  constructor(cause: unknown) {
    super('The payment provider failed', { cause });
  }
}
