/** What a newcomer sees at the end of the start. */
export function helpFor(url: string): string {
  const json = "-H 'content-type: application/json'";
  return `
The shop is open at ${url}; Ctrl-C closes it.

  ${url}/             buttons that break its payment provider, and place orders
  ${url}/resilience   the dashboard: what the policies make of it

Or from a second terminal:

  curl -s ${url}/orders ${json} -d '{"items":[{"sku":"TEAPOT","quantity":1}]}'
  curl -s ${url}/upstream ${json} -d '{"mode":"hanging"}'
  npx nestjs-bulwark ls ${url}/resilience --watch

`;
}
