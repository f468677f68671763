/** What a newcomer sees at the end of the start. */
export function helpFor(url: string): string {
  const json = "-H 'content-type: application/json'";
  return `
The shop is open at ${url}; Ctrl-C closes it. Try:

  curl -s ${url}/orders ${json} -d '{"items":[{"sku":"TEAPOT","quantity":1}]}'
  curl -s ${url}/upstream ${json} -d '{"mode":"hanging"}'
  curl -s ${url}/breakers

`;
}
