import { createHash } from 'node:crypto';
import { BASICS, ENDING, ORDER, RECORD } from './script-parts.ts';

/** One step in Redis. Its one key is the prefix of all others; what it takes and answers stands where it is called (`job-store.ts`). */
export interface Script {
  readonly text: string;
  /** By which Redis knows it. */
  readonly sha1: string;
}

/** Id, caller, request, the caller's key and fingerprint or '', most jobs that may wait, most of one caller, the line. */
export const SUBMIT = script(`
local id, caller, data, name, fingerprint = unpack(ARGV)
local most, mostOfCaller = tonumber(ARGV[6]), tonumber(ARGV[7])
if redis.call('EXISTS', jobKey(id)) == 1 then return { 'accepted', record(id) } end

if name ~= '' then
  local earlier = redis.call('HGET', key('keys'), name)
  if earlier then
    local isSame = redis.call('HGET', jobKey(earlier), 'fingerprint') == fingerprint
    return { isSame and 'replay' or 'reused', record(earlier) }
  end
end
local refusal = refusalOf(caller, most, mostOfCaller)
if refusal then return refusal end

redis.call('HSET', jobKey(id), 'data', data, 'caller', caller, 'line', ARGV[8], 'status', 'queued', 'createdAt', whole(now),
  'run', 0, 'attempt', 0, 'crashes', 0, 'restarts', 0)
if name ~= '' then
  redis.call('HSET', jobKey(id), 'key', name, 'fingerprint', fingerprint)
  redis.call('HSET', key('keys'), name, id)
end
local place = count('job')
redis.call('ZADD', key('jobs'), place, id)
redis.call('ZADD', key('jobs:' .. caller), place, id)
enqueue(id, caller)
tell('progress', id)
return { 'accepted', record(id) }
`);

/** Caller, key or '', most jobs that may wait, most of one caller: what `SUBMIT` would say, or nothing. */
export const ADMIT = script(`
local caller, name, most, mostOfCaller = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if name ~= '' and redis.call('HEXISTS', key('keys'), name) == 1 then return nil end
return refusalOf(caller, most, mostOfCaller)
`);

/**
 * Ticket, its line, a name of this very call, failure of jobs that were interrupted too often. Gives the next job to whoever holds the
 * ticket; one whose ticket comes back runs again, and whoever ran it before can change nothing of it any more.
 */
export const TAKE = script(`
local ticket, line, nonce, failure = unpack(ARGV)
local id = redis.call('HGET', key('tickets'), ticket)
if id then
  if redis.call('HGET', jobKey(id), 'nonce') == nonce then return { 'run', record(id) } end
  if not survivesRestart(id, failure) then return { 'ended', record(id) } end
else
  id = takeNext(line)
  if not id then return { 'none' } end
  redis.call('HINCRBY', jobKey(id), 'run', 1)
  redis.call('HSET', key('tickets'), ticket, id)
end
local crashes, restarts = unpack(redis.call('HMGET', jobKey(id), 'crashes', 'restarts'))
redis.call('HSET', jobKey(id), 'status', 'processing', 'ticket', ticket, 'nonce', nonce, 'startedAt', whole(now),
  'attempt', crashes + restarts + 1, 'failures', '[]')
redis.call('ZADD', key('running'), whole(now), id)
return { 'run', record(id) }
`);

/** Id, run, crashes, attempt: another attempt within a run. Answers the time of its start, or 0 where the run is over. */
export const BEGIN = script(`
local id, run, crashes, attempt = unpack(ARGV)
if not isRunBy(id, run) then return 0 end
redis.call('HSET', jobKey(id), 'crashes', crashes, 'attempt', attempt, 'startedAt', whole(now), 'failures', '[]')
return now
`);

/** Id, run, progress, failures. Answers whether the run goes on. */
export const REPORT = script(`
local id, run, progress, failures = unpack(ARGV)
if not isRunBy(id, run) then return 0 end
redis.call('HSET', jobKey(id), 'progress', progress, 'failures', failures)
tell('progress', id)
return 1
`);

/** Id, run or '' for whatever runs, status, then fields and values. Answers whether it ended so, and how it stands. */
export const END = script(`
local id, run, status = unpack(ARGV)
local before, current = unpack(redis.call('HMGET', jobKey(id), 'status', 'run'))
if not before then return { 'none' } end
local isLive = before == 'queued' or before == 'processing'
if run ~= '' and current ~= run then return { 'lost', record(id) } end
if not isLive then return { before == status and 'again' or 'lost', record(id) } end
local changes = {}
for index = 4, #ARGV do changes[#changes + 1] = ARGV[index] end
finish(id, status, changes)
return { 'ended', record(id) }
`);

/** Id, run, failure: a server stops, and gives a job back. */
export const RELEASE = script(`
local id, run, failure = unpack(ARGV)
if not isRunBy(id, run) then return { 'lost', record(id) } end
return { giveBack(id, failure) and 'queued' or 'ended', record(id) }
`);

/** Failure, what the keys of tickets begin with: gives back what runs by a ticket that is no more. Answers what has failed by it. */
export const RECLAIM = script(`
local failure, tickets = unpack(ARGV)
local ended = {}
for _, id in ipairs(redis.call('ZRANGE', key('running'), 0, -1)) do
  local ticket = redis.call('HGET', jobKey(id), 'ticket')
  local isHeld = ticket and redis.call('EXISTS', tickets .. ticket) == 1
  if not isHeld and not giveBack(id, failure) then ended[#ended + 1] = record(id) end
end
return ended
`);

/** Server, its workers, how long it is believed to live in ms, how many runs, ids and runs, ids being read. Answers runs that are over. */
export const BEAT = script(`
local server, workers, lifeMs, runs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZADD', key('servers'), whole(now), server)
redis.call('SET', key('workers:' .. server), workers, 'PX', lifeMs)
redis.call('ZREMRANGEBYSCORE', key('servers'), '-inf', whole(now - lifeMs))
local total = 0
for _, name in ipairs(redis.call('ZRANGE', key('servers'), 0, -1)) do
  total = total + (redis.call('GET', key('workers:' .. name)) or 0)
end
redis.call('SET', key('workers'), total)

local over = {}
for index = 5, 3 + 2 * runs, 2 do
  if not isRunBy(ARGV[index], ARGV[index + 1]) then over[#over + 1] = ARGV[index] end
end
redis.call('ZREMRANGEBYSCORE', key('readers'), '-inf', whole(now))
for index = 5 + 2 * runs, #ARGV do redis.call('ZADD', key('readers'), whole(now + lifeMs), ARGV[index]) end
return over
`);

/** Server: it is gone. */
export const LEAVE = script(`
redis.call('ZREM', key('servers'), ARGV[1])
redis.call('DEL', key('workers:' .. ARGV[1]))
`);

/** Ids. Answers how each that is known stands. */
export const READ = script(`
local jobs = {}
for _, id in ipairs(ARGV) do
  if redis.call('EXISTS', jobKey(id)) == 1 then jobs[#jobs + 1] = record(id) end
end
return jobs
`);

/** A caller's key: the job that it names, or nothing. */
export const FIND = script(`
local id = redis.call('HGET', key('keys'), ARGV[1])
return id and record(id)
`);

/** Most jobs, caller or '', id of the job after which the page begins or ''. Answers whether there are more, and the jobs; or nothing. */
export const LIST = script(`
local most, caller, after = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local below = '+inf'
if after ~= '' then
  local place = redis.call('ZSCORE', key('jobs'), after)
  if not place then return nil end
  below = '(' .. place
end
local name = caller == '' and key('jobs') or key('jobs:' .. caller)
local ids = redis.call('ZREVRANGEBYSCORE', name, below, '-inf', 'LIMIT', 0, most + 1)
local jobs = {}
for index = 1, math.min(most, #ids) do jobs[index] = record(ids[index]) end
return { #ids > most and 1 or 0, jobs }
`);

/** How many run, and how many wait in each line. */
export const COUNTS = script(`
local counts = { redis.call('ZCARD', key('running')) }
for _, line in ipairs(LINES) do counts[#counts + 1] = redis.call('HLEN', key(line .. ':waiting')) end
return counts
`);

/** Ids of all that has not ended. */
export const LIVE = script(`
local ids = redis.call('ZRANGE', key('running'), 0, -1)
for _, line in ipairs(LINES) do
  for _, id in ipairs(redis.call('HKEYS', key(line .. ':waiting'))) do ids[#ids + 1] = id end
end
return ids
`);

/** How many: tells of that many jobs of each line where they stand. */
export const TELL_POSITIONS = script(`
for _, line in ipairs(LINES) do
  for _, id in ipairs(inTurn(line, tonumber(ARGV[1]))) do tell('progress', id) end
end
`);

/** A time, then ids that are left: forgets jobs that ended before it and that nobody reads. Answers which. */
export const EXPIRE = script(`
local kept = {}
for index = 2, #ARGV do kept[ARGV[index]] = true end
local gone = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('ended'), '-inf', '(' .. whole(now - ARGV[1]))) do
  local readUntil = redis.call('ZSCORE', key('readers'), id)
  if not kept[id] and (not readUntil or tonumber(readUntil) < now) then
    forget(id)
    gone[#gone + 1] = id
  end
end
return gone
`);

/** Id: forgets that job, if it has ended. Answers how it stood, or nothing. */
export const REMOVE = script(`
if not redis.call('ZSCORE', key('ended'), ARGV[1]) then return {} end
local removed = { record(ARGV[1]) }
forget(ARGV[1])
return removed
`);

/** Most jobs that are kept after their end: forgets the oldest of more. Answers which. */
export const EVICT = script(`
local surplus = redis.call('ZCARD', key('ended')) - tonumber(ARGV[1])
if surplus <= 0 then return {} end
local gone = redis.call('ZRANGE', key('ended'), 0, surplus - 1)
for _, id in ipairs(gone) do forget(id) end
return gone
`);

function script(body: string): Script {
  const text = `${BASICS}${ORDER}${RECORD}${ENDING}${body}`;
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
