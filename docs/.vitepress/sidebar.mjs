const page = (text, link) => ({ text, link });
// Groups that fold are buttons around a button in this theme, which nobody without a mouse can use.
const group = (text, items) => ({ text, items });

/** What the reader sees at the left. @param api the pages of the reference, as TypeDoc made them. */
export const sidebar = (api) => ({
  '/api/': [page('← Documentation', '/'), group('API reference', [page('All entries', '/api/'), ...api])],
  '/': [
    page('Overview', '/'),
    page('Quick start', '/quick-start'),
    page('How it decides', '/how-it-decides'),
    group('Policies', [
      page('All of them, and which to take', '/policies/'),
      page('Circuit breaker', '/policies/circuit-breaker'),
      page('Timeout', '/policies/timeout'),
      page('Retry', '/policies/retry'),
      page('Fallback', '/policies/fallback'),
      page('Recover', '/policies/recover'),
      page('Rate limit', '/policies/rate-limit'),
      page('Bulkhead', '/policies/bulkhead'),
      page('Adaptive throttle', '/policies/adaptive-throttle'),
      page('Hedge', '/policies/hedge'),
      page('Coalesce', '/policies/coalesce'),
      page('System protection', '/policies/system-protection'),
    ]),
    group('Recipes', [
      page('All recipes', '/recipes/'),
      page('An HTTP client', '/recipes/http-client'),
      page('A database and its ORM', '/recipes/database'),
      page('A queue worker', '/recipes/queue-worker'),
      page('A cron job', '/recipes/cron'),
      page('An LLM API', '/recipes/llm-api'),
      page('Many tenants', '/recipes/multi-tenant'),
      page('Webhooks', '/recipes/webhooks'),
      page('The last good answer', '/recipes/last-good-answer'),
      page('A canary by rules', '/recipes/canary'),
    ]),
    group('In depth', [
      page('Breakers and retries', '/breakers-and-retries'),
      page('Flow control', '/flow-control'),
      page('Overload', '/overload'),
      page('Which methods are guarded', '/methods'),
      page('Your own functions', '/callbacks'),
      page('What comes in', '/requests'),
      page('Other transports', '/transports'),
      page('The last good answer', '/last-good'),
    ]),
    group('Operations', [
      page('All at a glance', '/operations'),
      page('Logs', '/logs'),
      page('Metrics and alerts', '/metrics'),
      page('Traces', '/tracing'),
      page('Health checks', '/health'),
      page('The dashboard', '/dashboard'),
      page('The command line', '/command-line'),
      page('Rules at run time', '/rules'),
      page('Warnings at start', '/lint'),
    ]),
    group('Data', [page('DataService', '/data'), page('Failover', '/failover'), page('File format', '/file-format')]),
    group('Cluster', [
      page('Several processes', '/cluster'),
      page('Breakers of many processes', '/cluster-breakers'),
      page('Rate limits of a cluster', '/cluster-rate-limits'),
    ]),
    group('Testing', [page('Test a guarded service', '/testing'), page('CommonJS and Jest', '/commonjs')]),
    group('Background', [
      page('Inside the engine', '/internals'),
      page('opossum, and its breaker here', '/opossum'),
      page('The sample shop', '/sample-shop'),
      page('Upgrading', '/upgrading'),
    ]),
    page('API reference', '/api/'),
  ],
});
