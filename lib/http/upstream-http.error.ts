/**
 * A dependency has answered with a status that counts as an error: breakers, retries and fallbacks read `status` and the
 * `Retry-After` of `headers`. It is no answer for the app's own clients, who get 500 where nothing handles it.
 *
 * @publicApi
 */
export class UpstreamHttpError extends Error {
  override readonly name = 'UpstreamHttpError';
  readonly status: number;
  readonly headers: Headers;
  readonly url: string;

  constructor({ status, headers, url }: Pick<Response, 'status' | 'headers' | 'url'>) {
    super(`the upstream answered ${status}`);
    this.status = status;
    this.headers = headers;
    this.url = url;
  }
}
