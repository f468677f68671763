import { setTimeout as sleep } from 'node:timers/promises';
import type { DashboardState } from '../../observability/dashboard/protocol.js';
import { EXIT, UsageError, type CommandContext } from '../shell/command.js';
import { safeJson } from '../shell/safe-text.js';
import { parseLsArguments, type LsArguments } from './arguments.js';
import { fetchState, StateError } from './fetch-state.js';
import { instancesOf } from './instance-view.js';
import { LEAST_WIDTH, tableOf } from './table.js';
import { LineView, ScreenView, type View } from './watch-view.js';

const HELP = `nestjs-bulwark ls <url> [options]: what the policies of an app do now

Asks the dashboard of an app (ResilienceDashboardModule) and shows each instance of a policy in a line, those in trouble
first: the state of its breaker (or how many of its keys are not closed), calls, failures and refusals of the last second,
the 95th percentile of the last 10 s, what runs and what waits. Below stand the last decisions, with times in UTC.

  <url>                  the address of the page
  -w, --watch            goes on, once a second; ends with Ctrl-C. What is no terminal gets a line for each instance
                         whose figures have changed
      --json             for machines: one document, or with --watch one a line
  -H, --header <header>  'Name: value', for credentials; may be given several times

Examples:
  nestjs-bulwark ls http://localhost:3000/resilience
  nestjs-bulwark ls https://shop.example/resilience -H "Authorization: Bearer $TOKEN" --watch
  nestjs-bulwark ls http://localhost:3000/resilience --json | jq '.instances[] | select(.state == "open").name'

Colours are left out where the output is no terminal, and with NO_COLOR. Exit codes: 0 done, also when --watch was ended by
Ctrl-C; 1 there is no state to be had; 2 called wrongly.
`;

/** How often an app is asked, ms: its figures are those of a second. */
const EVERY_MS = 1_000;
const PIPE_WIDTH = 80;

/** Shows what an app's policies do. @returns the exit code. */
export async function runLs(args: readonly string[], context: CommandContext): Promise<number> {
  const { out, err } = context.terminal;
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    (args.length === 0 ? err : out).write(HELP);
    return args.length === 0 ? EXIT.usage : EXIT.ok;
  }
  try {
    const parsed = parseLsArguments(args);
    if (parsed.watch) await watch(parsed, context);
    else out.write(print(await fetchState(parsed, context.signal), parsed, context));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof UsageError) {
      err.write(`ls: ${error.message}\nnestjs-bulwark ls --help says how it is called\n`);
      return EXIT.usage;
    }
    if (context.signal.aborted) return EXIT.failed;
    if (!(error instanceof StateError)) throw error;
    err.write(`ls: ${error.message}\n`);
    return EXIT.failed;
  }
}

function print(state: DashboardState, { json }: LsArguments, context: CommandContext): string {
  if (json) return `${safeJson(documentOf(state), 2)}\n`;
  const { columns = PIPE_WIDTH } = context.terminal.out;
  const style = { width: Math.max(LEAST_WIDTH, columns), height: Infinity, colours: hasColours(context) };
  return `${tableOf(state, style).join('\n')}\n`;
}

/** Until the user ends it, or the app says for good that there is nothing to see. */
async function watch(args: LsArguments, context: CommandContext): Promise<void> {
  const { signal, terminal } = context;
  const view = viewOf(args, context);
  let seen = false;
  try {
    while (!signal.aborted) {
      try {
        view.show(await fetchState(args, signal));
        seen = true;
      } catch (error) {
        if (signal.aborted) break;
        // An app that was there may only start anew.
        if (!seen || !(error instanceof StateError) || !error.passes) throw error;
        view.away(error.message);
      }
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    terminal.out.write(view.end());
  }
}

function viewOf({ json }: LsArguments, context: CommandContext): View {
  const { out, err } = context.terminal;
  if (json) {
    return {
      show: (state) => void out.write(`${safeJson(documentOf(state))}\n`),
      away: (why) => void err.write(`ls: ${why}\n`),
      end: () => '',
    };
  }
  return out.isTTY === true ? new ScreenView(out, hasColours(context)) : new LineView(out, err, PIPE_WIDTH);
}

/** For machines: figures by name, where the wire has lists. */
function documentOf(state: DashboardState): object {
  const { process, now, draining, fleet, ingress, timeline } = state;
  return { process, now, draining, fleet, ingress, instances: instancesOf(state), timeline };
}

/** See https://no-color.org. */
function hasColours({ terminal, env }: CommandContext): boolean {
  return terminal.out.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
