import { createHash } from 'node:crypto';

/** A script that Redis runs as a whole. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/**
 * Grants units of a limit by the generic cell rate algorithm, on the clock of Redis: the key holds the moment at which all
 * that was granted will have had its time, and what a unit takes, in microseconds. Under another rate what was granted
 * stays so in number. Another clock, after a failover, costs a burst at most.
 *
 * ARGV: the time of a unit, us; the burst; the least and the most that is wanted. Gives what is granted, and the time that
 * what is left takes, us.
 */
export const TAKE = script(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval = tonumber(ARGV[1])
local most = now + interval * tonumber(ARGV[2])
local least = tonumber(ARGV[3])
local want = tonumber(ARGV[4])
local paid = now
local known = redis.call('GET', KEYS[1])
if known then
  local at, each = string.match(known, '(%S+) (%S+)')
  local used = (tonumber(at) - now) / tonumber(each)
  if used > 0 then paid = math.min(now + used * interval, most) end
end
local free = (most - paid) / interval + 0.000001
local granted = 0
if free >= least then
  granted = least + math.floor(math.min(free, want) - least)
  paid = paid + granted * interval
  redis.call('SET', KEYS[1], string.format('%.3f %.17g', paid, interval), 'PX', math.ceil((paid - now) / 1000) + 1)
end
return {tostring(granted), tostring(math.floor(most - paid))}
`);

/**
 * Tells that a process lives, and how many do.
 *
 * ARGV: its id; after how many ms without a word one is gone.
 */
export const BEAT = script(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`);
