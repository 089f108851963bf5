import { MAX_RESTARTS } from '../job-queue.ts';
import { NEWEST_WEIGHT } from '../service-rate.ts';
import { LINES } from './lines.ts';

/**
 * What the scripts of `job-scripts.ts` are made of. A script runs in Redis as one step that nothing comes between, by the clock
 * of Redis, which all servers share. Keys, all under one prefix:
 *
 * - `job:ID` a hash: the request as JSON (`data`), and what has become of it
 * - `jobs`, `jobs:CALLER` ids by the order in which they were accepted; `ended` ids by the time of their end
 * - `LINE:waiting` a hash of id to caller; `LINE:first` ids that go before all others; `LINE:queue:CALLER` one caller's ids;
 *   `LINE:turns` callers in turn: images and downloads are lines of their own
 * - `running` ids by the time they started; `tickets` a hash of BullMQ's ticket, as `LINE:NUMBER`, to the job that is run by it
 * - `keys` a hash of a caller's key to the job that it names; `readers` ids whose results are being read, by when that is to be
 *   said again; `servers` names of servers by when they were last heard of, `workers:SERVER` how many jobs each runs at once
 * - `mean` seconds that jobs ran of late; `count:*` counters
 */
export const BASICS = `
local LINES = { ${LINES.map((line) => `'${line}'`).join(', ')} }
local prefix = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function key(name) return prefix .. name end
local function jobKey(id) return prefix .. 'job:' .. id end
local function whole(number) return string.format('%.0f', number) end
local function count(name) return redis.call('INCR', key('count:' .. name)) end
`;

/** Callers take turns, and each one's jobs go in the order in which they came, as in `FairOrder`. */
export const ORDER = `
local function lineOf(id, part) return key(redis.call('HGET', jobKey(id), 'line') .. ':' .. part) end

local function enqueue(id, caller)
  redis.call('ZADD', lineOf(id, 'queue:' .. caller), count('place'), id)
  redis.call('ZADD', lineOf(id, 'turns'), 'NX', count('turn'), caller)
  redis.call('HSET', lineOf(id, 'waiting'), id, caller)
end

local function enqueueFirst(id, caller)
  redis.call('ZADD', lineOf(id, 'first'), count('place'), id)
  redis.call('HSET', lineOf(id, 'waiting'), id, caller)
end

local function dequeue(id, caller)
  if redis.call('HDEL', lineOf(id, 'waiting'), id) == 0 then return end
  redis.call('ZREM', lineOf(id, 'first'), id)
  redis.call('ZREM', lineOf(id, 'queue:' .. caller), id)
  if redis.call('EXISTS', lineOf(id, 'queue:' .. caller)) == 0 then redis.call('ZREM', lineOf(id, 'turns'), caller) end
end

local function takeNext(line)
  local id = redis.call('ZPOPMIN', key(line .. ':first'))[1]
  if not id then
    local turns = key(line .. ':turns')
    local caller = redis.call('ZRANGE', turns, 0, 0)[1]
    if not caller then return nil end
    local queue = key(line .. ':queue:' .. caller)
    id = redis.call('ZPOPMIN', queue)[1]
    redis.call('ZREM', turns, caller)
    if redis.call('EXISTS', queue) == 1 then redis.call('ZADD', turns, count('turn'), caller) end
  end
  redis.call('HDEL', key(line .. ':waiting'), id)
  return id
end

local function position(id)
  local caller = redis.call('HGET', lineOf(id, 'waiting'), id)
  if not caller then return 0 end
  local first = redis.call('ZRANK', lineOf(id, 'first'), id)
  if first then return first + 1 end
  local round = redis.call('ZRANK', lineOf(id, 'queue:' .. caller), id)
  local place = redis.call('ZCARD', lineOf(id, 'first')) + round + 1
  local isBefore = true
  for _, other in ipairs(redis.call('ZRANGE', lineOf(id, 'turns'), 0, -1)) do
    if other == caller then
      isBefore = false
    else
      local size = redis.call('ZCARD', lineOf(id, 'queue:' .. other))
      place = place + math.min(size, isBefore and round + 1 or round)
    end
  end
  return place
end

-- When jobs on images that run began, and how far they are, by turns.
local function pacesOfRunning()
  local paces = {}
  for _, id in ipairs(redis.call('ZRANGE', key('running'), 0, -1)) do
    local line, startedAt, progress = unpack(redis.call('HMGET', jobKey(id), 'line', 'startedAt', 'progress'))
    if line == 'images' and startedAt then
      paces[#paces + 1] = startedAt
      paces[#paces + 1] = progress or '{}'
    end
  end
  return paces
end

-- What keeps one more of a caller's from waiting, and how fast places get free; nothing where there is room.
local function refusalOf(caller, most, mostOfCaller)
  local kind
  local waiting = 0
  for _, line in ipairs(LINES) do waiting = waiting + redis.call('HLEN', key(line .. ':waiting')) end
  if waiting >= most then
    kind = 'full'
  elseif mostOfCaller < most then
    waiting = 0
    for _, line in ipairs(LINES) do
      waiting = waiting + redis.call('ZCARD', key(line .. ':queue:' .. caller))
      for _, id in ipairs(redis.call('ZRANGE', key(line .. ':first'), 0, -1)) do
        if redis.call('HGET', key(line .. ':waiting'), id) == caller then waiting = waiting + 1 end
      end
    end
    if waiting >= mostOfCaller then kind = 'caller-full' end
  end
  if not kind then return nil end
  local mean, workers = redis.call('GET', key('mean')) or '', redis.call('GET', key('workers')) or '1'
  return { kind, waiting, mean, workers, pacesOfRunning() }
end

local function inTurn(line, most)
  local ids = redis.call('ZRANGE', key(line .. ':first'), 0, most - 1)
  local callers = redis.call('ZRANGE', key(line .. ':turns'), 0, -1)
  local round = 0
  local found = true
  while found and #ids < most do
    found = false
    for _, caller in ipairs(callers) do
      local id = redis.call('ZRANGE', key(line .. ':queue:' .. caller), round, round)[1]
      if id and #ids < most then
        found = true
        ids[#ids + 1] = id
      end
    end
    round = round + 1
  end
  return ids
end
`;

/** A job as it stands (`job-record.ts` reads it), and telling all servers of it. */
export const RECORD = `
local function record(id)
  local parts = redis.call('HGETALL', jobKey(id))
  local rest = { 'id', id, 'position', whole(position(id)), 'mean', redis.call('GET', key('mean')) or '',
    'workers', redis.call('GET', key('workers')) or '1' }
  for _, part in ipairs(rest) do parts[#parts + 1] = part end
  return parts
end

local function tell(event, id)
  redis.call('PUBLISH', key('events'), cjson.encode({ event, record(id) }))
end

local function isRunBy(id, run)
  local status, current = unpack(redis.call('HMGET', jobKey(id), 'status', 'run'))
  return status == 'processing' and current == run
end
`;

/** Leaving the order and the runs for good or for another run. */
export const ENDING = `
local MAX_RESTARTS = ${MAX_RESTARTS}
local NEWEST = ${NEWEST_WEIGHT}

local function stopRun(id)
  local ticket = redis.call('HGET', jobKey(id), 'ticket')
  if ticket then redis.call('HDEL', key('tickets'), ticket) end
  redis.call('HDEL', jobKey(id), 'ticket', 'nonce')
  redis.call('ZREM', key('running'), id)
end

local function measure(id)
  local startedAt, line = unpack(redis.call('HMGET', jobKey(id), 'startedAt', 'line'))
  if line == 'downloads' then return end
  local mean = redis.call('GET', key('mean'))
  local seconds = (now - startedAt) / 1000
  if mean then seconds = mean * (1 - NEWEST) + seconds * NEWEST end
  redis.call('SET', key('mean'), string.format('%.6f', seconds))
end

local function giveKeyFree(id)
  local name = redis.call('HGET', jobKey(id), 'key')
  if name and redis.call('HGET', key('keys'), name) == id then redis.call('HDEL', key('keys'), name) end
end

local function finish(id, status, changes)
  if redis.call('HGET', jobKey(id), 'status') == 'processing' then measure(id) end
  stopRun(id)
  dequeue(id, redis.call('HGET', jobKey(id), 'caller'))
  redis.call('HSET', jobKey(id), 'status', status, 'finishedAt', whole(now), unpack(changes))
  redis.call('ZADD', key('ended'), whole(now), id)
  if status ~= 'completed' then giveKeyFree(id) end
  tell(status, id)
end

-- Counts a restart of a job whose server is gone. Answers whether it may run again; if not, it has failed with \`failure\`.
local function survivesRestart(id, failure)
  redis.call('HINCRBY', jobKey(id), 'run', 1)
  if redis.call('HINCRBY', jobKey(id), 'restarts', 1) <= MAX_RESTARTS then return true end
  finish(id, 'failed', { 'error', failure })
  return false
end

-- Like survivesRestart, and puts the job back in the queue for another server.
local function giveBack(id, failure)
  stopRun(id)
  redis.call('HSET', jobKey(id), 'status', 'queued')
  if not survivesRestart(id, failure) then return false end
  enqueueFirst(id, redis.call('HGET', jobKey(id), 'caller'))
  tell('progress', id)
  return true
end

local function forget(id)
  giveKeyFree(id)
  redis.call('ZREM', key('jobs'), id)
  redis.call('ZREM', key('jobs:' .. redis.call('HGET', jobKey(id), 'caller')), id)
  redis.call('ZREM', key('ended'), id)
  redis.call('DEL', jobKey(id))
end
`;
