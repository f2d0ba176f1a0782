/**
 * What is asked of Redis in one step each: Lua, within which nothing else happens there. A gateway
 * tells whole values of its own, so that twice is once, and is told the sum of the others'. Times
 * are the server's.
 */

/**
 * KEYS: the gateways, then a hash a period. ARGV: our id, how many hours a gateway is known, then
 * for each hash what we have used (numbers with blanks; nothing: only ask) and for how many
 * milliseconds it is kept. Gives the time there, how many gateways are known, then for each hash
 * the sums of the others and what stood there of ours.
 */
export const TELL = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2] * 3600000)
local out = { string.format('%d', now), redis.call('ZCARD', KEYS[1]) }
for i = 2, #KEYS do
  local said = ARGV[2 * i - 1]
  local sums = { 0, 0, 0, 0, 0 }
  local own = ''
  local all = redis.call('HGETALL', KEYS[i])
  for j = 1, #all, 2 do
    if all[j] == ARGV[1] then
      own = all[j + 1]
    else
      local n = 0
      for number in string.gmatch(all[j + 1], '%d+') do
        n = n + 1
        if n <= 5 then sums[n] = sums[n] + number end
      end
    end
  end
  if said ~= '' then
    redis.call('HSET', KEYS[i], ARGV[1], said)
    redis.call('PEXPIRE', KEYS[i], ARGV[2 * i])
  end
  local text = {}
  for n = 1, 5 do text[n] = string.format('%.0f', sums[n]) end
  out[#out + 1] = table.concat(text, ' ')
  out[#out + 1] = own
end
return out
`

/**
 * One more attempt at a password, unless that were too many among all gateways; the rules of
 * `policy/attempts.ts`. KEYS: attempts by time, and when devices were right. ARGV: device, token
 * (nothing: none), what makes it unlike any other, then the limits. Gives 1, or 0: too many.
 */
export const ATTEMPT = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local device, token = ARGV[1], ARGV[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[8])
local cleared = tonumber(redis.call('HGET', KEYS[2], device) or '0')
local since = math.max(now - ARGV[6], cleared)
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local here, same = 0, 0
for i = 1, #all, 2 do
  local tried = cjson.decode(all[i])
  if tried[1] == device and tonumber(all[i + 1]) > since then here = here + 1 end
  if token ~= '' and tried[2] == token then same = same + 1 end
end
if same >= tonumber(ARGV[4]) or here >= tonumber(ARGV[5]) or #all / 2 >= tonumber(ARGV[7]) then
  return 0
end
redis.call('ZADD', KEYS[1], now, cjson.encode({ device, token, ARGV[3] }))
redis.call('PEXPIRE', KEYS[1], ARGV[8])
return 1
`
