/** What is missing, how to get it, and what to do instead. */
export function helpToInstall(missing: readonly string[]): string {
  return `
Three shops need ${missing.join(' and ')}, which ${missing.length > 1 ? 'are' : 'is'} not installed here. On Debian or Ubuntu:

  apt-get install ${missing.map((name) => (name === 'etcd' ? 'etcd-server' : name)).join(' ')}

or name servers that run elsewhere:

  ETCD_HOSTS=http://127.0.0.1:2379 REDIS_URL=redis://127.0.0.1:6379 npm run start:cluster

or let containers do it: docker compose -f sample-app/deploy/compose.yaml up

`;
}

/** What to try with several shops. */
export function helpForFleet(urls: readonly string[], etcd: string): string {
  const json = "-H 'content-type: application/json'";
  const [first = ''] = urls;
  const all = `for shop in ${urls.join(' ')}; do`;
  const cluster = `npx nestjs-bulwark cluster`;
  const to = `--hosts ${etcd} --prefix shop/`;
  return `
Three shops are open: ${urls.join('  ')}
They share one payment provider, an etcd and a Redis; Ctrl-C closes all. Break the provider, and let each shop meet it:

  curl -s ${first}/upstream ${json} -d '{"mode":"failing"}'
  ${all} for i in 1 2 3 4 5 6; do curl -so /dev/null $shop/orders ${json} -d '{"items":[{"sku":"TEAPOT","quantity":1}]}'; done; done

See what they have learned of each other, then heal it:

  ${all} curl -s $shop/breakers; echo; done
  curl -s ${first}/upstream ${json} -d '{"mode":"healthy"}'

Change a rule for all of them, and force a breaker open for all, for a minute:

  node dist/sample-app/cluster/put-rules.js ${etcd} '{"policies":{"payments":{"bulkhead":5}}}'
  ${cluster} open payments ${to} --reason 'bank maintenance' --author ann --for 1m
  ${cluster} list ${to}

`;
}
