import { MODES, type Mode } from '../upstream/mode.js';
import type { UpstreamStatus } from '../upstream-control/upstream.js';
import type { DemoResult } from './demo-result.query.js';

const WHAT: Readonly<Record<Mode, string>> = {
  healthy: 'answers as it should',
  slow: 'answers, but late',
  flaky: '3 of 10 answers are errors',
  failing: 'every answer is an error',
  hanging: 'takes calls and never answers',
  gone: 'the process has ended',
};

/** The page of buttons: plain forms, without a script. */
export function pageOf({ mode, pid }: UpstreamStatus, result: DemoResult): string {
  const buttons = MODES.map(
    (one) =>
      `<li><button name="mode" value="${one}"${one === mode ? ' aria-pressed="true"' : ''}>${one}</button> ${WHAT[one]}</li>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Bulwark shop: break its payment provider</title>
    <link rel="stylesheet" href="/demo/style.css">
  </head>
  <body>
    <main>
      <h1>The shop, and its payment provider</h1>
      <p>The provider is <strong>${mode}</strong>${pid === null ? '' : ` (process ${pid})`}. <a href="/resilience">The dashboard</a> shows what the policies make of it.</p>
      <h2 id="modes">1. Break it, or heal it</h2>
      <form method="post" action="/demo/mode" aria-labelledby="modes"><ul>${buttons.join('')}</ul></form>
      <h2 id="orders">2. Send customers</h2>
      <form method="post" action="/demo/orders" aria-labelledby="orders"><button>Place 10 orders</button></form>
      <p role="status">${told(result)}</p>
      <p>Broken by “hanging”, the first orders wait for their limit of a second, are taken all the same, with the payment pending, and open the breaker; the others no longer wait for anyone. Healed, the breaker lets a probe through 3 s after it opened, and what is owed is collected.</p>
    </main>
  </body>
</html>
`;
}

function told({ paid = 0, pending = 0, failed = 0, tookMs = 0 }: DemoResult): string {
  if (paid + pending + failed === 0) return 'No orders were placed yet.';
  return `Of ${paid + pending + failed} orders ${paid} are paid, ${pending} taken with their payment pending, ${failed} failed; they took ${(tookMs / 1_000).toFixed(1)} s.`;
}

export const STYLE = `:root { color-scheme: light dark; background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
ul { list-style: none; padding: 0; }
li { margin: 0.5rem 0; }
button { font: inherit; min-width: 7rem; padding: 0.3rem 0.8rem; cursor: pointer; }
button[aria-pressed] { font-weight: bold; outline: 2px solid currentColor; }
button:focus-visible, a:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
`;
