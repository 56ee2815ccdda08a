-- What Roblox gives a script, as far as the example needs it, and a game of four players.
local threads, now = {}, python.now

task = {
  spawn = function(work) table.insert(threads, { thread = coroutine.create(work), at = 0 }) end,
  wait = function(seconds) coroutine.yield(seconds or 0) end,
}
DateTime = { now = function() return { UnixTimestampMillis = math.floor(now() * 1000) } end }
warn = python.say

local HttpService = {}
function HttpService:GenerateGUID() return python.uuid() end
function HttpService:JSONEncode(value) return python.encode(value) end
function HttpService:JSONDecode(text) return python.decode(text) end
function HttpService:RequestAsync() error("the example calls it by pcall") end
game = { GetService = function(_, name) return assert(name == "HttpService" and HttpService) end }
-- In Lua 5.1 nothing can yield across pcall; in Luau everything can.
local plain = pcall
function pcall(work, ...)
  if work ~= HttpService.RequestAsync then return plain(work, ...) end
  coroutine.yield(0)
  local _, request = ...
  local is_answered, status, headers, body = plain(python.request, request.Url, request.Headers, request.Body)
  if not is_answered then return false, status end
  return true, { StatusCode = status, Headers = headers, Body = body, Success = status < 300 }
end

local Analytics = assert(loadstring(python.module, "Analytics.luau"))()
local names = {}
for name in string.gmatch(python.NAMES, "[^,]+") do table.insert(names, name) end

task.spawn(function()
  local analytics = Analytics.new(python.URL, python.KEY, "1.0.0")
  analytics.batchEvents, analytics.batchSeconds, analytics.retrySeconds = 25, 0.05, 0.01
  analytics.queueEvents = tonumber(python.QUEUE)
  analytics.heartbeatSeconds = python.HEARTBEATS and 0 or 60
  local sessions = {}
  for player = 0, 3 do sessions[player] = analytics:startSession("p-" .. player) end
  for number = 0, 119 do
    analytics:track(sessions[number % 4], "design", { name = names[number % #names + 1], value = number })
    if number % 40 == 0 then task.wait(0.2) end
  end
  for player = 0, 3 do analytics:endSession(sessions[player]) end
  assert(analytics:flush(600), "events are left")
  analytics.isClosed = true
end)

while #threads > 0 do
  for index = #threads, 1, -1 do
    local each = threads[index]
    if now() >= each.at then
      local is_well, wait = coroutine.resume(each.thread)
      assert(is_well, wait)
      each.at = now() + (wait or 0)
      if coroutine.status(each.thread) == "dead" then table.remove(threads, index) end
    end
  end
  python.sleep(0.005)
end
